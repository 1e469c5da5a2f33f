//! Virtual links between two routers: what carries them, made and taken away.
//!
//! | transport | between | needs | plugged into what runs |
//! |---|---|---|---|
//! | isolated network | routers of one host | nothing: VMS makes it | QEMU, LXC, Xen |
//! | bridge | hosts | a bridge of `link_bridges` (or named) that is one segment at both | QEMU, LXC, Xen |
//! | multicast group | hosts | QEMU; a way for multicast between the hosts | no |
//! | UDP tunnel | hosts | QEMU; the transport addresses of both hosts | no |
//!
//! The test driver takes all of them, plugs none, and carries nothing.

use super::{
    nics::{self, NewNic, Plug},
    pools::Taken,
};
use crate::{
    discovery::Sources,
    fleet::can,
    jobs::{
        self,
        plan::{Chore, Plan, What},
        task::{Act, Task},
        work::{Stop, Work},
    },
    service::{State, errors, translate},
};
use api::{
    CreateVirtualLinkRequest, DeleteVirtualLinkRequest, Error, JobId, JobPhase, LinkAddressing,
    LinkTransport, NotFound, NotSupported, Timestamp, VirtualLink, VirtualLinkEnd, VirtualLinkId,
    WhenRunning,
};
use jiff::SignedDuration;
use libvirt::{Capability, Connection, ErrorKind, NetworkXml};
use model::{Driver, HostId, Mac, Placement, Router, RouterId};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, sync::Arc};
use uuid::Uuid;

/// How long a router that is restarted for its link may take to shut down, in seconds.
const SHUT_DOWN: u32 = if cfg!(test) { 1 } else { 60 };

/// The least limit: libvirt counts in KiB a second.
const LEAST_RATE: u64 = 8 * 1024;

/// The largest: beyond it hosts count wrongly.
const MOST_RATE: u64 = 1_000_000_000_000;

/// A link that VMS made, and all that is needed to take it away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Made {
    pub link: VirtualLink,
    pub carrier: Carrier,
    /// The drivers of its routers.
    pub drivers: [Driver; 2],
}

/// What carries a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Carrier {
    /// A network of one host, which VMS made.
    Network {
        host: HostId,
        name: String,
        bridge: String,
    },
    /// A bridge of each host.
    Bridge([String; 2]),
    Multicast(SocketAddr),
    /// Where each end listens.
    Udp([SocketAddr; 2]),
}

/// A link that is being made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LinkCreation {
    pub made: Made,
    /// What becomes of each end.
    pub ends: [Plugging; 2],
}

/// A link that is being taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LinkDeletion {
    pub made: Made,
    /// Routers to be restarted afterwards.
    pub restart: Vec<RouterId>,
}

/// How an interface gets into a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Plugging {
    /// At once, running or not.
    Now,
    /// At its next start.
    NextStart,
    /// It is restarted.
    Restart,
}

impl Made {
    fn end(&self, at: usize) -> &VirtualLinkEnd {
        if at == 0 { &self.link.a } else { &self.link.b }
    }

    pub fn ends(&self) -> [&VirtualLinkEnd; 2] {
        [&self.link.a, &self.link.b]
    }

    fn mac(&self, at: usize) -> Mac {
        Mac(self.end(at).mac.0)
    }

    /// The interface of one end.
    fn nic(&self, at: usize) -> NewNic {
        let plug = match &self.carrier {
            Carrier::Network { name, .. } => Plug::Network(name.clone()),
            Carrier::Bridge(bridges) => Plug::Bridge(bridges[at].clone()),
            Carrier::Multicast(group) => Plug::Multicast(*group),
            Carrier::Udp(ends) => Plug::Udp {
                local: ends[at],
                remote: ends[1 - at],
            },
        };
        let rates = [
            self.link.bits_per_second_to_a,
            self.link.bits_per_second_to_b,
        ];
        NewNic {
            bits_per_second: rates[at],
            mtu: self.link.mtu,
            ..NewNic::new(
                self.mac(at),
                plug,
                self.end(at).address.iter().cloned().collect(),
            )
        }
    }

    /// What takes it away, wherever its routers are by now; of `restart`, those that run go on without
    /// it at once.
    pub fn chores(&self, state: &State, restart: &[RouterId]) -> Vec<Chore> {
        let topology = &state.view().snapshot.topology;
        let (mut chores, mut restarts) = (Vec::new(), Vec::new());
        for (at, driver) in self.drivers.into_iter().enumerate() {
            let end = self.end(at);
            let router = RouterId(end.router.0);
            let now = topology.routers.get(&router);
            let host = now.map_or_else(|| translate::host_id(&end.host), |now| now.host.clone());
            let mac = self.mac(at);
            let about = |what| Chore::about(&host, driver, router, what);
            chores.push(about(What::RemoveInterface { mac }));
            if restart.contains(&router) {
                restarts.push(about(What::Restart {
                    mac,
                    seconds: SHUT_DOWN,
                    run: None,
                }));
            }
        }
        chores.append(&mut restarts);
        chores.extend(self.network_chore());
        // One that was removed from the fleet is not waited for.
        chores.retain(|chore| topology.hosts.contains_key(&chore.host));
        let host = translate::host_id(&self.link.a.host);
        chores.push(Chore::new(&host, What::ForgetLink(self.link.id)));
        chores
    }

    fn network_chore(&self) -> Option<Chore> {
        match &self.carrier {
            Carrier::Network { host, name, .. } => {
                let router = RouterId(self.link.a.router.0);
                let what = What::RemoveNetwork {
                    network: name.clone(),
                };
                Some(Chore::about(host, self.drivers[0], router, what))
            }
            _ => None,
        }
    }

    /// Takes what it holds out of the pools.
    pub fn hold(&self, taken: &mut Taken) {
        for (at, end) in self.ends().into_iter().enumerate() {
            taken.macs.insert(self.mac(at));
            if let Some(address) = &end.address {
                taken.address(address);
            }
        }
        match &self.carrier {
            Carrier::Network { bridge, .. } => {
                taken.bridges.insert(bridge.clone());
            }
            Carrier::Bridge(bridges) => taken.bridges.extend(bridges.iter().cloned()),
            Carrier::Multicast(group) => {
                taken.groups.insert(*group);
            }
            Carrier::Udp(ends) => {
                for (at, end) in ends.iter().enumerate() {
                    let host = translate::host_id(&self.end(at).host);
                    taken.ports.entry(host).or_default().insert(end.port());
                }
            }
        }
    }
}

/// What is taken of all pools, by hosts, links and plans.
pub(crate) async fn taken(state: &State) -> Result<Taken, Error> {
    let mut taken = Taken::by(state.view().topology());
    for made in all(state).await? {
        made.hold(&mut taken);
    }
    state.jobs.unfinished(|plan| {
        let Plan::Task(task) = plan else { return };
        match &task.act {
            Act::CreateLink(link) => link.made.hold(&mut taken),
            Act::DeleteLink(link) => link.made.hold(&mut taken),
            act => super::hold(act, &mut taken),
        }
    });
    Ok(taken)
}

/// All links.
pub(crate) async fn all(state: &State) -> Result<Vec<Made>, Error> {
    let links = state.store.links().await;
    links.map_err(|error| errors::internal("the virtual links cannot be read", &error))
}

/// A link that is asked for: all that can be refused is refused here.
pub(crate) async fn ask(
    state: &Arc<State>,
    request: CreateVirtualLinkRequest,
    caller: &str,
) -> Result<(VirtualLink, JobId), Error> {
    check(&request)?;
    // What is picked is picked by one at a time, until it is in a plan.
    let _turn = state.provisioning.lock().await;
    for router in [request.a, request.b] {
        state.jobs.refuse_if_acting(router)?;
    }
    let view = state.view();
    let routers = [request.a, request.b].map(|id| view.find(id).map(Arc::clone));
    let [a, b] = routers;
    let routers = [a?, b?];
    for router in &routers {
        super::routers::current(&view, router)?;
        super::routers::persistent(router)?;
    }
    let sources = crate::discovery::tell(&state.updates).await?;
    let taken = taken(state).await?;
    let creation = decide(state, &sources, taken, &request, &routers, caller)?;
    let link = creation.made.link.clone();
    let mut hosts: Vec<_> = routers.iter().map(|router| router.host.clone()).collect();
    hosts.dedup();
    let names = (
        routers[0].domain.name.clone(),
        routers[1].domain.name.clone(),
    );
    let name = format!("{} and {}", names.0, names.1);
    let (id, driver) = (link.id, routers[0].domain.driver);
    let mut task = Task::new(Act::CreateLink(Box::new(creation)), &name, hosts, driver);
    task.routers = routers.iter().map(|router| router.domain.id).collect();
    task.request_id = request.request_id;
    let message = format!("{name} wait to be linked.");
    let ends = [&routers[0], &routers[1]].map(|router| translate::id(&router.host));
    let job = jobs::task::start(state, task, caller, message, |job| {
        let [source, destination] = ends;
        (job.source, job.destination) = (Some(source), Some(destination));
        job.link = Some(id);
    });
    Ok((link, job.await?))
}

/// What can be refused by looking at the request alone.
fn check(request: &CreateVirtualLinkRequest) -> Result<(), Error> {
    if request.a == request.b {
        let message = "another router than a was expected: a link has two ends";
        return Err(Error::invalid("b", message));
    }
    for (element, rate) in [
        ("bitsPerSecondToB", request.bits_per_second_to_b),
        ("bitsPerSecondToA", request.bits_per_second_to_a),
    ] {
        if rate.is_some_and(|rate| !(LEAST_RATE..=MOST_RATE).contains(&rate)) {
            let message = "8192 to 1000000000000 bits a second were expected, or nothing at all";
            return Err(Error::invalid(element, message));
        }
    }
    let least = match request.addressing {
        Some(LinkAddressing::Ipv6) => 1280,
        _ => 576,
    };
    if request
        .mtu
        .is_some_and(|mtu| !(least..=9000).contains(&mtu))
    {
        let message = format!("{least} to 9000 bytes were expected, or nothing at all");
        return Err(Error::invalid("mtu", message));
    }
    if request.bridge.is_some() && !matches!(request.transport, None | Some(LinkTransport::Bridge))
    {
        let message =
            "a bridge carries links with the transport bridge only: leave one of both out";
        return Err(Error::invalid("bridge", message));
    }
    Ok(())
}

/// What carries it, and what becomes of its ends.
fn decide(
    state: &State,
    sources: &Sources,
    mut taken: Taken,
    request: &CreateVirtualLinkRequest,
    routers: &[Arc<Router>; 2],
    caller: &str,
) -> Result<LinkCreation, Error> {
    let id = VirtualLinkId(Uuid::new_v4());
    let is_one_host = routers[0].host == routers[1].host;
    let settings = &state.links;
    let preferred: Vec<LinkTransport> = match (request.transport, &request.bridge) {
        (Some(transport), _) => vec![transport],
        (None, Some(_)) => vec![LinkTransport::Bridge],
        (None, None) if is_one_host => vec![LinkTransport::Network],
        (None, None) => settings.transports.clone(),
    };
    let way = Way {
        state,
        sources,
        taken: &taken,
        request,
        routers,
        id,
    };
    let (mut why_not, mut is_used_up) = (Vec::new(), false);
    let carrier = preferred.iter().find_map(|transport| {
        let carrier = limits(request, *transport).and_then(|()| way.carrier(*transport));
        match carrier {
            Ok(carrier) => Some((*transport, carrier)),
            Err(no) => {
                is_used_up |= matches!(no, No::UsedUp(_));
                let (No::Never(why) | No::UsedUp(why)) = no;
                why_not.push(format!("{}: {why}", transport.describe()));
                None
            }
        }
    });
    let Some((transport, carrier)) = carrier else {
        let message = format!(
            "{} and {} cannot be linked: {}",
            routers[0].domain.name,
            routers[1].domain.name,
            why_not.join("; ")
        );
        if is_used_up {
            // It could, were others not before.
            return Err(errors::conflict(message));
        }
        return Err(NotSupported {
            driver: routers[0].domain.driver.as_str().to_owned(),
            message,
        }
        .into());
    };
    let addresses = match request.addressing {
        None | Some(LinkAddressing::None) => None,
        Some(LinkAddressing::Ipv4) => {
            Some(taken.ipv4(settings).ok_or_else(|| exhausted("link_ipv4"))?)
        }
        Some(LinkAddressing::Ipv6) => {
            Some(taken.ipv6(settings).ok_or_else(|| exhausted("link_ipv6"))?)
        }
    };
    let mut end = |at: usize| VirtualLinkEnd {
        router: translate::router_id(routers[at].domain.id),
        router_name: routers[at].domain.name.clone(),
        host: translate::id(&routers[at].host),
        mac: translate::mac(taken.mac(super::random)),
        address: addresses.as_ref().map(|addresses| addresses[at].clone()),
    };
    let (a, b) = (end(0), end(1));
    let when = request.when_running.unwrap_or(WhenRunning::Refuse);
    let [first, second] = [0, 1].map(|at| plugging(&routers[at], transport, when));
    let link = VirtualLink {
        id,
        a,
        b,
        transport,
        carrier: carrier.describe(),
        bits_per_second_to_b: request.bits_per_second_to_b,
        bits_per_second_to_a: request.bits_per_second_to_a,
        mtu: request.mtu,
        created_at: Timestamp::now(),
        created_by: caller.to_owned(),
    };
    let drivers = [0, 1].map(|at: usize| routers[at].domain.driver);
    Ok(LinkCreation {
        made: Made {
            link,
            carrier,
            drivers,
        },
        ends: [first?, second?],
    })
}

/// Why a transport does not carry a link.
enum No {
    /// It cannot.
    Never(String),
    /// It could, but all that there is of it is in use.
    UsedUp(String),
}

impl From<String> for No {
    fn from(why: String) -> Self {
        Self::Never(why)
    }
}

/// Limits that what carries the link would not keep.
fn limits(request: &CreateVirtualLinkRequest, transport: LinkTransport) -> Result<(), No> {
    let has_device = matches!(transport, LinkTransport::Network | LinkTransport::Bridge);
    let asked = [
        ("bitsPerSecondToB", request.bits_per_second_to_b.is_some()),
        ("bitsPerSecondToA", request.bits_per_second_to_a.is_some()),
        ("mtu", request.mtu.is_some()),
    ];
    match asked.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((element, _)) if !has_device => Err(No::Never(format!(
            "it has no device on the hosts that could keep {element}"
        ))),
        _ => Ok(()),
    }
}

fn used_up(setting: &str) -> No {
    No::UsedUp(format!(
        "nothing is free any more of {setting}; {MAKE_ROOM}"
    ))
}

fn exhausted(setting: &str) -> Error {
    errors::conflict(format!(
        "nothing is free any more of {setting}: {MAKE_ROOM}"
    ))
}

/// What to do about a pool that is used up.
const MAKE_ROOM: &str = "delete links that are not used, or make it larger in the configuration";

/// How an interface gets into a router, or why it does not.
fn plugging(
    router: &Router,
    transport: LinkTransport,
    when: WhenRunning,
) -> Result<Plugging, Error> {
    let of = &router.domain;
    if !of.state.is_active() {
        return Ok(Plugging::Now);
    }
    let hotplugs = can(of.driver, Capability::DeviceHotplug);
    let has_device = matches!(transport, LinkTransport::Network | LinkTransport::Bridge);
    // Of a container, libvirt 9.0 does not always learn the first process, and plugs nothing into it
    // then, until it is started anew: whoever allows that gets it.
    let is_sure = of.driver != Driver::Lxc || when == WhenRunning::Refuse;
    if hotplugs && has_device && is_sure {
        return Ok(Plugging::Now);
    }
    match when {
        WhenRunning::NextStart => Ok(Plugging::NextStart),
        WhenRunning::Restart => Ok(Plugging::Restart),
        WhenRunning::Refuse => {
            let driver = of.driver.as_str();
            let what = if hotplugs {
                format!(
                    "libvirt cannot plug an interface of a {} into it",
                    transport.describe()
                )
            } else {
                format!("the driver {driver} plugs nothing into it")
            };
            Err(NotSupported {
                driver: driver.to_owned(),
                message: format!(
                    "{} runs, and {what}: shut it down first, or say what is to be done \
                     (whenRunning: nextStart or restart)",
                    of.name
                ),
            }
            .into())
        }
    }
}

/// All that decides whether a transport can carry a link.
struct Way<'a> {
    state: &'a State,
    sources: &'a Sources,
    taken: &'a Taken,
    request: &'a CreateVirtualLinkRequest,
    routers: &'a [Arc<Router>; 2],
    id: VirtualLinkId,
}

impl Way<'_> {
    fn carrier(&self, transport: LinkTransport) -> Result<Carrier, No> {
        let settings = &self.state.links;
        let [a, b] = [&self.routers[0].host, &self.routers[1].host];
        match transport {
            LinkTransport::Network => {
                if a != b {
                    return Err("it is one host's own, and they are on two"
                        .to_owned()
                        .into());
                }
                // Of its own id: 15 characters are the most that the kernel takes.
                let short = self.id.0.simple().to_string();
                let bridge = format!("vms{}", &short[..10]);
                Ok(Carrier::Network {
                    host: a.clone(),
                    name: format!("vms-{}", &short[..10]),
                    bridge,
                })
            }
            LinkTransport::Bridge => self.bridge().map(Carrier::Bridge),
            LinkTransport::Multicast => {
                self.by_qemu()?;
                let group = self.taken.group(settings);
                let group = group.ok_or_else(|| used_up("link_groups"))?;
                Ok(Carrier::Multicast(group))
            }
            LinkTransport::Udp => {
                self.by_qemu()?;
                let topology = self.state.view();
                let [from, to] = [a, b].map(|host| {
                    let address = jobs::transport_address(self.state, topology.topology(), host);
                    address.ok_or_else(|| format!("the transport address of {host} is not known"))
                });
                let (from, to) = (from?, to?);
                let first = self.taken.port(settings, [a, b]);
                let first = first.ok_or_else(|| used_up("link_ports"))?;
                // On one host both ends listen.
                let second = if a == b {
                    let mut taken = self.taken.ports.get(a).cloned().unwrap_or_default();
                    taken.insert(first);
                    let mut ports = settings.udp_ports.clone();
                    let second = ports.find(|port| !taken.contains(port));
                    second.ok_or_else(|| used_up("link_ports"))?
                } else {
                    first
                };
                Ok(Carrier::Udp([
                    SocketAddr::new(from, first),
                    SocketAddr::new(to, second),
                ]))
            }
        }
    }

    /// Whether both are run by QEMU, or by the test driver, which takes everything.
    fn by_qemu(&self) -> Result<(), String> {
        let other = self
            .routers
            .iter()
            .find(|router| !matches!(router.domain.driver, Driver::Qemu | Driver::Test));
        match other {
            Some(other) => Err(format!(
                "the driver {} of {} has none",
                other.domain.driver.as_str(),
                other.domain.name
            )),
            None => Ok(()),
        }
    }

    fn bridge(&self) -> Result<[String; 2], No> {
        let hosts = [&self.routers[0].host, &self.routers[1].host];
        let is_joined = |bridge: &str| {
            let ends = hosts.map(|host| (host, bridge));
            Placement::is_joined(&self.sources.reports, &self.sources.links, ends)
        };
        if let Some(bridge) = &self.request.bridge {
            return if is_joined(bridge) {
                Ok([bridge.clone(), bridge.clone()])
            } else {
                Err(No::Never(format!(
                    "{bridge} is not one segment at {} and {}, or not there",
                    hosts[0], hosts[1]
                )))
            };
        }
        let prepared = &self.state.links.bridges;
        if prepared.is_empty() {
            return Err("none is prepared (link_bridges)".to_owned().into());
        }
        let mut joined = prepared
            .iter()
            .filter(|bridge| is_joined(bridge))
            .peekable();
        if joined.peek().is_none() {
            return Err(No::Never(format!(
                "none of link_bridges is one segment at {} and {}",
                hosts[0], hosts[1]
            )));
        }
        let free = joined.find(|bridge| !self.taken.bridges.contains(*bridge));
        let free = free.ok_or_else(|| used_up("link_bridges"))?;
        Ok([free.clone(), free.clone()])
    }
}

impl Carrier {
    fn describe(&self) -> String {
        match self {
            Self::Network { name, .. } => format!("network {name}"),
            Self::Bridge([a, b]) if a == b => format!("bridge {a}"),
            Self::Bridge([a, b]) => format!("bridges {a} and {b}"),
            Self::Multicast(group) => format!("multicast group {group}"),
            Self::Udp([a, b]) => format!("UDP {a} and {b}"),
        }
    }
}

/// Makes a link.
pub(crate) async fn create(work: &mut Work<Task>, creation: LinkCreation) -> Result<String, Stop> {
    let LinkCreation { made, ends } = creation;
    let mut connections = Vec::new();
    for (end, driver) in made.ends().into_iter().zip(made.drivers) {
        let host = translate::host_id(&end.host);
        connections.push((work.session(&host, driver).await?, host));
    }
    if let Carrier::Network { host, name, bridge } = &made.carrier {
        work.step(
            JobPhase::Preparing,
            format!("The network {name} is made on {host}."),
        )
        .await;
        work.stop_if_cancelled()?;
        if let Some(undo) = made.network_chore() {
            work.will_do(undo).await?;
        }
        work.notes.changed(host, made.drivers[0]);
        make_network(&connections[0].0, name, bridge, made.link.mtu)
            .await
            .map_err(|error| Stop::on(host, &format!("Making the network {name}"), error))?;
    }
    for (at, plugging) in ends.into_iter().enumerate() {
        let (connection, host) = &connections[at];
        let (router, driver) = (RouterId(made.end(at).router.0), made.drivers[at]);
        let name = &made.end(at).router_name;
        work.stop_if_cancelled()?;
        work.step(JobPhase::Preparing, format!("{name} gets an interface."))
            .await;
        let nic = made.nic(at);
        let mac = nic.mac;
        let undo = |what| Chore::about(host, driver, router, what);
        let failed = |error| Stop::on(host, &format!("Giving {name} an interface"), error);
        if plugging == Plugging::Restart {
            // Taken back after the interface: the router goes on with what it had.
            let domain = connection.domain(router.0).await;
            let run = domain.map_err(failed)?.and_then(|domain| domain.id);
            work.will_do(undo(What::Restart {
                mac,
                seconds: SHUT_DOWN,
                run,
            }))
            .await?;
        }
        work.will_do(undo(What::RemoveInterface { mac })).await?;
        plug(connection, router, driver, &nic, plugging == Plugging::Now)
            .await
            .map_err(failed)?;
        if plugging == Plugging::Restart {
            restart(work, connection, host, router, name).await?;
        }
    }
    let host = translate::host_id(&made.link.a.host);
    work.will_do(Chore::new(&host, What::ForgetLink(made.link.id)))
        .await?;
    let store = &work.state.store;
    store
        .put_link(made.link.id, made.link.created_at, &made)
        .await?;
    let later: Vec<_> = (ends.iter().zip(made.ends()))
        .filter(|(plugging, _)| **plugging == Plugging::NextStart)
        .map(|(_, end)| end.router_name.as_str())
        .collect();
    let later = if later.is_empty() {
        String::new()
    } else {
        format!(
            " It is there once {} was started anew.",
            later.join(" and ")
        )
    };
    let message = format!(
        "{} and {} are linked by a {} ({}).{later}",
        made.link.a.router_name,
        made.link.b.router_name,
        made.link.transport.describe(),
        made.link.carrier
    );
    work.commit(&message, Vec::new()).await?;
    Ok(message)
}

async fn make_network(
    connection: &Connection,
    name: &str,
    bridge: &str,
    mtu: Option<u32>,
) -> Result<(), libvirt::Error> {
    let mut network = NetworkXml::isolated(name, bridge);
    network.mtu = mtu;
    connection.define_network(&network).await?;
    connection.set_network_autostart(name, true).await?;
    match connection.start_network(name).await {
        // A driver that starts what it defines.
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        started => started,
    }
}

/// Gives a router an interface: what it starts with the next time, and what it runs with if `now`.
pub(crate) async fn plug(
    connection: &Connection,
    router: RouterId,
    driver: Driver,
    nic: &NewNic,
    now: bool,
) -> Result<(), libvirt::Error> {
    let is_active = (connection.domain(router.0).await?).is_some_and(|of| of.state.is_active());
    let mut definition = connection.inactive_definition(router.0).await?;
    nics::put_in(&mut definition, nic, driver);
    connection.define_domain(&definition).await?;
    super::seed::retell(connection, router, &definition).await?;
    if now && is_active {
        let device = nic.device(driver).to_xml();
        connection
            .attach_device(router.0, &device, true, false)
            .await?;
    }
    Ok(())
}

/// Stops a router and starts it again, with what its definition says by now.
async fn restart(
    work: &mut Work<Task>,
    connection: &Connection,
    host: &HostId,
    router: RouterId,
    name: &str,
) -> Result<(), Stop> {
    work.step(
        JobPhase::Stopping,
        format!("{name} is restarted for its link."),
    )
    .await;
    let failed = |error| Stop::on(host, &format!("Restarting {name}"), error);
    let within = SignedDuration::from_secs(SHUT_DOWN.into());
    work.plan.shut_down_until = Timestamp::now().checked_add(within).ok();
    work.save_plan().await?;
    super::routers::turn_off(connection, router, SHUT_DOWN, || work.stop_if_cancelled())
        .await?
        .map_err(failed)?;
    work.step(JobPhase::Starting, format!("{name} is started."))
        .await;
    match connection.start_domain(router.0).await {
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        started => started.map_err(failed),
    }
}

/// A link that is to be taken away.
pub(crate) async fn ask_to_delete(
    state: &Arc<State>,
    request: DeleteVirtualLinkRequest,
    caller: &str,
) -> Result<JobId, Error> {
    // No link of theirs comes or goes meanwhile.
    let _turn = state.provisioning.lock().await;
    let made = find(state, request.link).await?;
    let when = request.when_running.unwrap_or(WhenRunning::Refuse);
    let view = state.view();
    let (mut restart, mut hosts, mut routers) = (Vec::new(), Vec::new(), Vec::new());
    for end in made.ends() {
        state.jobs.refuse_if_acting(end.router)?;
        // One that is gone has no interface any more.
        let Ok(router) = view.find(end.router) else {
            continue;
        };
        super::routers::current(&view, router)?;
        let hotplugs = can(router.domain.driver, Capability::DeviceHotplug);
        if router.domain.state.is_active() && !hotplugs {
            match when {
                WhenRunning::NextStart => {}
                WhenRunning::Restart => restart.push(router.domain.id),
                WhenRunning::Refuse => {
                    return Err(NotSupported {
                        driver: router.domain.driver.as_str().to_owned(),
                        message: format!(
                            "{} runs, and its driver unplugs nothing: shut it down first, or say \
                             what is to be done (whenRunning: nextStart or restart)",
                            router.domain.name
                        ),
                    }
                    .into());
                }
            }
        }
        hosts.push(router.host.clone());
        routers.push(router.domain.id);
    }
    if hosts.is_empty() {
        hosts.push(translate::host_id(&made.link.a.host));
    }
    hosts.dedup();
    let name = format!(
        "{} and {}",
        made.link.a.router_name, made.link.b.router_name
    );
    let ends = made.ends().map(|end| end.host.clone());
    let (id, driver) = (made.link.id, made.drivers[0]);
    let deletion = LinkDeletion { made, restart };
    let mut task = Task::new(Act::DeleteLink(Box::new(deletion)), &name, hosts, driver);
    task.routers = routers;
    task.request_id = request.request_id;
    let message = format!("The link between {name} waits to be taken away.");
    jobs::task::start(state, task, caller, message, |job| {
        let [source, destination] = ends;
        (job.source, job.destination) = (Some(source), Some(destination));
        job.link = Some(id);
    })
    .await
}

/// Takes a link away.
pub(crate) async fn delete(work: &mut Work<Task>, deletion: LinkDeletion) -> Result<String, Stop> {
    let LinkDeletion { made, restart } = deletion;
    work.stop_if_cancelled()?;
    let chores = made.chores(&work.state, &restart);
    let message = format!("{} are no longer linked.", work.plan.name);
    work.commit(&message, chores).await?;
    Ok(message)
}

/// One of all links.
pub(crate) async fn find(state: &State, id: VirtualLinkId) -> Result<Made, Error> {
    let found = all(state)
        .await?
        .into_iter()
        .find(|made| made.link.id == id);
    found.ok_or_else(|| {
        NotFound {
            kind: "virtualLink".to_owned(),
            id: id.to_string(),
            message: format!(
                "VMS made no virtual link {id}; ListVirtualLinks tells which there are"
            ),
        }
        .into()
    })
}
