//! One host: what its endpoints report, whom it hears, and where its tunnels lead, together.
//!
//! Each endpoint has a supervisor of its own, so that one whose daemon hangs leaves the other as it
//! is. Whom it hears by LLDP and where its VXLANs lead is asked beside them. What they all report
//! goes to discovery as one report of the host, in the order in which it came. What went over its
//! interfaces is asked, too; that is a measurement and goes where those go.

use super::{
    EndpointContact, HostContact, Surroundings, Way,
    inventory::together,
    lldp::Listening,
    supervisor::{EndpointReport, Known, Supervisor},
    traffic::Counting,
    vxlan::Following,
};
use crate::{KernelSettings, LldpSettings, discovery::Update};
use model::{HostInventory, HostReport};
use std::sync::Arc;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

/// Reports that may wait; a supervisor beyond them waits.
const QUEUE: usize = 32;

/// How a host is asked for what libvirt does not know, as far as it is.
pub(crate) struct Questions {
    pub lldp: Option<LldpSettings>,
    pub vxlan: Option<KernelSettings>,
    pub traffic: Option<KernelSettings>,
}

/// Starts a host's supervisors, and comes back when they have ended. `first` is told once every
/// endpoint was tried and the topology shows how that went.
pub(crate) async fn run(
    mut report: HostReport,
    ways: Vec<Way>,
    questions: Questions,
    contact: Arc<HostContact>,
    first: oneshot::Sender<()>,
    surroundings: Arc<Surroundings>,
) {
    let (reports, mut queue) = mpsc::channel(QUEUE);
    let mut supervisors = JoinSet::new();
    let mut inventories = Vec::new();
    let mut tried = Vec::new();
    let of_endpoints = ways.into_iter().zip(&contact.endpoints);
    for (index, (way, endpoint)) in of_endpoints.enumerate() {
        let before = report.inventory.as_deref();
        let inventory = before.map(|before| Arc::new(part_of(before, endpoint)));
        let (tell, done) = oneshot::channel();
        tried.push(done);
        let supervisor = Supervisor {
            host: report.id.clone(),
            index,
            way: Arc::new(way),
            refreshes: endpoint.take_refreshes(),
            contact: Arc::clone(endpoint),
            reports: reports.clone(),
            surroundings: Arc::clone(&surroundings),
            first: Some(tell),
            known: Known::restored(inventory.clone()),
        };
        inventories.push(inventory);
        supervisors.spawn(supervisor.run());
    }
    drop(reports);
    let (tell, mut heard) = mpsc::channel(1);
    if let Some(way) = questions.lldp {
        let listening = Listening {
            host: report.id.clone(),
            way,
            keys: surroundings.keys.clone(),
            interval: surroundings.lldp_interval,
            contact: Arc::clone(&contact),
            heard: tell,
        };
        supervisors.spawn(listening.run(report.neighbors.clone()));
    }
    let (tell, mut led) = mpsc::channel(1);
    if let Some(way) = questions.vxlan {
        let following = Following {
            host: report.id.clone(),
            way,
            keys: surroundings.keys.clone(),
            interval: surroundings.relist_interval,
            contact: Arc::clone(&contact),
            led: tell,
        };
        supervisors.spawn(following.run(report.vxlans.clone()));
    }
    if let Some(way) = questions.traffic {
        let counting = Counting {
            host: report.id.clone(),
            way,
            keys: surroundings.keys.clone(),
            interval: surroundings.lldp_interval,
            sampler: surroundings.sampler.clone(),
        };
        supervisors.spawn(counting.run());
    }
    let trying = async move {
        for done in tried {
            // A supervisor that ends before is one of a host that was removed.
            let _ = done.await;
        }
        // Nobody may be interested.
        let _ = first.send(());
    };
    let gathering = async move {
        let mut batch = Vec::new();
        loop {
            let mut published = Vec::new();
            tokio::select! {
                count = queue.recv_many(&mut batch, QUEUE) => {
                    if count == 0 {
                        break;
                    }
                    for told in batch.drain(..) {
                        published.extend(take(&mut report, &mut inventories, told));
                    }
                    report.inventory = together(&report.id, &inventories);
                }
                Some(neighbors) = heard.recv() => report.neighbors = neighbors,
                Some(vxlans) = led.recv() => report.vxlans = vxlans,
            }
            let update = Update::Report {
                report: Box::new(report.clone()),
                published,
            };
            // Without discovery the server is ending.
            let _ = surroundings.updates.send(update).await;
        }
    };
    tokio::join!(trying, gathering);
}

fn take(
    report: &mut HostReport,
    inventories: &mut [Option<Arc<HostInventory>>],
    told: EndpointReport,
) -> Vec<oneshot::Sender<()>> {
    let endpoint = report.endpoints.get_mut(told.index);
    if let (Some(endpoint), Some(inventory)) = (endpoint, inventories.get_mut(told.index)) {
        endpoint.contact = told.contact;
        endpoint.message = told.message;
        *inventory = told.inventory;
    }
    told.published
}

/// What one endpoint reported of what is known of the host.
fn part_of(all: &HostInventory, endpoint: &EndpointContact) -> HostInventory {
    let mut part = all.clone();
    part.domains
        .retain(|_, domain| domain.driver == endpoint.driver);
    part
}
