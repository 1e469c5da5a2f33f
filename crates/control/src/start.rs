//! Starting and ending it all.

use crate::{
    Settings, StartError, demo,
    discovery::Discovery,
    fleet::{Fleet, KeyStore, Surroundings},
    images::Images,
    jobs::{Jobs, check::Policy},
    measurement::{self, Latest, Recorder, Recording, SEED_STEP, Sampler, Simulation},
    service::{Sampling, Service, State, hosts, translate},
    settings::{DeclaredLink, HostSettings},
    store::{Journal, Store, StoreError, forget_the_old},
};
use api::Operations;
use history::History;
use jiff::Timestamp;
use model::{HostId, HostReport, Maintenance, Origin, Port};
use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long each part may take to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// The running control.
#[derive(Debug)]
pub struct Control {
    service: Arc<Service>,
    ready: watch::Receiver<bool>,
    discovery: Discovery,
    history: History,
    store: Store,
    /// Ends when everything that was measured is stored.
    recording: Recording,
    /// Supervisors and the demo end with it.
    stop: DropGuard,
    tasks: Vec<JoinHandle<()>>,
    /// Held while the data directory and that of the images are ours.
    _locks: [File; 2],
}

impl Control {
    /// Opens the data directory and starts contacting the hosts. Waits for none of them.
    ///
    /// # Errors
    /// A sentence for whoever starts it: see [`StartError`].
    pub async fn start(mut settings: Settings) -> Result<Self, StartError> {
        settings.check()?;
        let started = Timestamp::now();
        let lock = lock(&settings.data)?;
        let database = settings.data.join("vms.db");
        let store = Store::open(&database).await?;
        let history = History::open(&settings.data.join("history.db")).await?;
        let (images, images_lock) =
            Images::open(store.clone(), &settings.images, &settings.data).await?;

        let links: Vec<_> = settings.links.iter().map(declared).collect();
        let failed = |error: StoreError| StartError::Database {
            path: database.clone(),
            source: match error {
                StoreError::Database(source) => source,
                StoreError::Content(error) => sqlx::Error::Decode(Box::new(error)),
            },
        };
        let mut origins: BTreeMap<_, _> = (settings.hosts.iter())
            .map(|host| (translate::host_id(&host.id), Origin::Configured))
            .collect();
        for host in registered(&store).await.map_err(failed)? {
            let id = translate::host_id(&host.id);
            if origins.contains_key(&id) {
                tracing::warn!(
                    host = %id,
                    "the configuration names a host that was registered, too: it counts"
                );
                continue;
            }
            origins.insert(id, Origin::Registered);
            settings.hosts.push(host);
        }
        let ids = origins.keys().cloned().collect();
        let opened = Journal::open(store.clone(), &ids, &links).await;
        let (journal, restored) = opened.map_err(failed)?;
        let reports: BTreeMap<HostId, HostReport> = (settings.hosts.iter())
            .map(|host| {
                let id = translate::host_id(&host.id);
                let known = restored.reports.get(&id);
                let report = hosts::report(host, origins[&id], known);
                (id, report)
            })
            .collect();
        let keys = KeyStore::open(&settings.data).map_err(|source| StartError::DataDirectory {
            path: settings.data.clone(),
            source,
        })?;
        let maintenance = store.maintenance().await.map_err(failed)?;
        let maintenance = (maintenance.into_iter())
            .map(|(host, reason)| (HostId::new(host), Maintenance { reason }))
            .collect();
        let discovery =
            Discovery::start(restored, journal, reports.clone(), links, maintenance).await;

        let latest = Arc::new(Latest::new(
            settings.sample_interval,
            settings.lldp_interval,
        ));
        let events = Arc::clone(&discovery.events);
        let (recorder, recording) = Recorder::start(history.clone(), Arc::clone(&latest), events);
        let seeding = (settings.demo.as_ref())
            .map(|_| Seeding::begin(&settings.data, started))
            .transpose()?
            .flatten();
        let stop = CancellationToken::new();
        let mut tasks = Vec::new();
        let is_demo = settings.demo.is_some();
        let surroundings = Surroundings {
            updates: discovery.updates.clone(),
            sampler: Sampler::new(
                discovery.snapshots.clone(),
                (!is_demo).then(|| recorder.clone()),
                settings.sample_interval,
            ),
            sample_interval: settings.sample_interval,
            relist_interval: settings.relist_interval,
            facts_interval: settings.facts_interval,
            lldp_interval: settings.lldp_interval,
            keys,
            stop: stop.clone(),
        };
        let (fleet, ready) = Fleet::start(settings.hosts, &reports, surroundings);
        if let Some(fleet) = settings.demo {
            let simulation = Simulation {
                fleet: fleet.clone(),
                snapshots: discovery.snapshots.clone(),
                recorder,
                ready: ready.clone(),
                interval: settings.sample_interval,
            };
            // A past that is complete is kept; the time in which no server ran stays a gap.
            if let Some(seeding) = seeding {
                let (running, past) = (stop.clone(), history.clone());
                tasks.push(tokio::spawn(async move {
                    let until_ms = seeding.until.as_millisecond();
                    let seeded = measurement::seed(fleet, past, until_ms);
                    match running.run_until_cancelled(seeded).await {
                        Some(Ok(())) => seeding.end(),
                        Some(Err(error)) => {
                            tracing::error!(%error, "the demo's past could not be stored");
                        }
                        None => {}
                    }
                }));
            }
            let running = stop.clone();
            tasks.push(tokio::spawn(async move {
                running.run_until_cancelled(simulation.run()).await;
            }));
        }
        tasks.push(tokio::spawn(forget_the_gone(
            Arc::clone(&latest),
            discovery.snapshots.clone(),
        )));
        tasks.push(tokio::spawn(forget_the_old(history.clone(), store.clone())));
        tasks.push(tokio::spawn(images.clone().forget_the_abandoned()));
        let (jobs, unfinished) = Jobs::open(
            store.clone(),
            Arc::clone(&discovery.events),
            settings.migration.per_host,
            stop.clone(),
        )
        .await
        .map_err(failed)?;
        let state = State {
            jobs,
            links: settings.virtual_links,
            use_kvm: settings.use_kvm,
            provisioning: tokio::sync::Mutex::default(),
            policy: Policy {
                memory_overcommit: settings.migration.memory_overcommit,
                vcpu_overcommit: settings.migration.vcpu_overcommit,
                stall: settings.migration.stall,
            },
            fleet,
            snapshots: discovery.snapshots.clone(),
            events: Arc::clone(&discovery.events),
            latest,
            history: history.clone(),
            store: store.clone(),
            images,
            sampling: Sampling {
                interval: settings.sample_interval,
                seeded: is_demo.then_some(SEED_STEP),
            },
            started,
            updates: discovery.updates.clone(),
            registering: tokio::sync::Mutex::default(),
        };
        Ok(Self {
            service: Arc::new(Service::new(state, unfinished)),
            ready,
            discovery,
            history,
            store,
            recording,
            stop: stop.drop_guard(),
            tasks,
            _locks: [lock, images_lock],
        })
    }

    /// The operations: the only way to what this controls.
    pub fn operations(&self) -> Arc<dyn Operations> {
        Arc::clone(&self.service) as Arc<dyn Operations>
    }

    /// What the operations look at.
    #[cfg(test)]
    pub(crate) fn state(&self) -> Arc<State> {
        self.service.state()
    }

    /// Becomes true once every host was tried once.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.clone()
    }

    /// Ends everything: event streams, contacts, and last the databases, with all that is known in
    /// them. Takes some seconds at most; whoever still calls an operation gets an error.
    pub async fn shutdown(self) {
        let within = async |what: &str, ending: &mut (dyn Future<Output = ()> + Send + Unpin)| {
            if tokio::time::timeout(PATIENCE, ending).await.is_err() {
                tracing::warn!("{what} did not end within {PATIENCE:?} and was left");
            }
        };
        self.discovery.events.end();
        self.stop.disarm().cancel();
        within(
            "a host's supervisor",
            &mut Box::pin(self.service.fleet_ended()),
        )
        .await;
        within("the jobs", &mut Box::pin(self.service.jobs_ended())).await;
        for task in self.tasks {
            task.abort();
            let _ = task.await;
        }
        within("storing samples", &mut Box::pin(self.recording.end())).await;
        within("the history", &mut Box::pin(self.history.close())).await;
        within(
            "storing the topology",
            &mut Box::pin(self.discovery.close()),
        )
        .await;
        within("the database", &mut Box::pin(self.store.close())).await;
    }
}

impl Settings {
    /// The embedded demo fleet, its files written into the data directory.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn demo(data: PathBuf) -> Result<Self, StartError> {
        let fleet = demo::Fleet::embedded();
        let directory = data.join("demo-fleet");
        let failed = |source| StartError::DataDirectory {
            path: directory.clone(),
            source,
        };
        std::fs::create_dir_all(&directory).map_err(failed)?;
        let files: BTreeMap<String, PathBuf> = fleet
            .write_to(&directory)
            .map_err(failed)?
            .into_iter()
            .collect();
        let id = |text: &str| {
            let id = text.parse();
            id.map_err(|error| StartError::Settings(format!("the demo fleet: {error}")))
        };
        let mut settings = Self::new(data);
        for host in &fleet.hosts {
            let Some(file) = files.get(&host.id) else {
                continue;
            };
            settings.hosts.push(HostSettings {
                name: Some(host.name.clone()),
                site: Some(host.site.clone()),
                ..HostSettings::new(id(&host.id)?, libvirt::Uri::test_file(file))
            });
        }
        for link in &fleet.links {
            settings.links.push(DeclaredLink {
                a: (id(&link.a_host)?, link.a_interface.clone()),
                b: (id(&link.b_host)?, link.b_interface.clone()),
                capacity_bits_per_second: Some(link.capacity_bits_per_second),
                latency: Some(link.latency),
            });
        }
        settings.demo = Some(fleet);
        Ok(settings)
    }
}

/// The demo's past is being made. Two small files in the data directory tell how far that is:
///
/// ```text
/// neither ── begin ──► demo-seeding (until when) ── end ──► demo-seeded
///                       └─► begin again: the same past, over what is there of it
/// ```
#[derive(Debug)]
struct Seeding {
    data: PathBuf,
    /// When the first server over this data started: from then on there are live ticks.
    until: Timestamp,
}

impl Seeding {
    const UNDER_WAY: &str = "demo-seeding";
    const DONE: &str = "demo-seeded";

    /// What is to be made; nothing if all is there.
    fn begin(data: &Path, started: Timestamp) -> Result<Option<Self>, StartError> {
        let failed = |source| StartError::DataDirectory {
            path: data.to_owned(),
            source,
        };
        if data.join(Self::DONE).try_exists().map_err(failed)? {
            return Ok(None);
        }
        let under_way = data.join(Self::UNDER_WAY);
        let begun = std::fs::read_to_string(&under_way).ok();
        let until = if let Some(until) = begun.and_then(|text| text.trim().parse().ok()) {
            until
        } else {
            // None yet, or what is there was cut off while it was written.
            std::fs::write(&under_way, format!("{started}\n")).map_err(failed)?;
            started
        };
        let data = data.to_owned();
        Ok(Some(Self { data, until }))
    }

    /// All of it is stored.
    fn end(self) {
        let [from, to] = [Self::UNDER_WAY, Self::DONE].map(|name| self.data.join(name));
        if let Err(error) = std::fs::rename(from, to) {
            tracing::error!(%error, "the demo's past is made again at the next start");
        }
    }
}

/// Makes the data directory and takes it for this process.
fn lock(data: &Path) -> Result<File, StartError> {
    let failed = |source| StartError::DataDirectory {
        path: data.to_owned(),
        source,
    };
    std::fs::create_dir_all(data).map_err(failed)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data.join("vms.lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse {
            path: data.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The hosts that were registered while the server ran. One that makes no sense any more is told in
/// the log and left out.
async fn registered(store: &Store) -> Result<Vec<HostSettings>, StoreError> {
    let mut hosts = Vec::new();
    for registration in store.hosts().await? {
        match hosts::settings(&registration) {
            Ok(host) => hosts.push(host),
            Err(error) => {
                tracing::error!(host = %registration.host, %error, "a host cannot be reached so");
            }
        }
    }
    Ok(hosts)
}

fn declared(link: &DeclaredLink) -> model::DeclaredLink {
    let port = |(host, interface): &(api::HostId, String)| Port {
        host: translate::host_id(host),
        interface: interface.clone(),
    };
    model::DeclaredLink {
        a: port(&link.a),
        b: port(&link.b),
        capacity_bits_per_second: link.capacity_bits_per_second,
        latency_ns: (link.latency).map(|it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX)),
    }
}

/// Measurements of routers that are no more are not kept in memory.
async fn forget_the_gone(
    latest: Arc<Latest>,
    mut snapshots: watch::Receiver<Arc<crate::discovery::Snapshot>>,
) {
    while snapshots.changed().await.is_ok() {
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        latest.retain(|router| {
            let router = model::RouterId(router.0);
            snapshot.topology.routers.contains_key(&router)
        });
        latest.retain_hosts(|host| snapshot.topology.hosts.contains_key(host));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_seed_is_made_again_up_to_the_same_time_until_it_is_complete() {
        let data = tempfile::tempdir().unwrap();
        let start = |second| {
            let started = Timestamp::from_second(second).unwrap();
            Seeding::begin(data.path(), started).unwrap()
        };
        let until = |seeding: &Seeding| seeding.until.as_second();
        let first = start(1000).unwrap();
        assert_eq!(until(&first), 1000);
        drop(first);
        // Live ticks are there since.
        let second = start(2000).unwrap();
        assert_eq!(until(&second), 1000);
        second.end();
        assert!(start(3000).is_none());
    }
}
