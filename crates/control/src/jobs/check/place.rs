//! What the topology says of a move: contact, room, segments, links, names.

use super::{Findings, Subject};
use crate::{
    fleet::can,
    jobs::{
        live,
        plan::Plan,
        task::{Act, Task},
    },
    service::{State, hosts},
};
use api::{MigrationCheck as Check, MigrationMode, Timestamp};
use libvirt::Capability;
use model::{HostId, Nic, Placement, RouterId, RouterState, Topology};

/// Looks at everything that no host needs to be asked for.
pub(super) fn look(of: &Subject<'_>, to: &HostId, found: &mut Findings) {
    contact(of, to, found);
    maintenance(of, to, found);
    driver(of, to, found);
    state(of, found);
    let its = (of.router.domain.memory_bytes, of.router.domain.vcpus);
    room(
        of.state,
        of.topology,
        to,
        Some(of.router.domain.id),
        its,
        found,
    );
    networks(of, to, found);
    links(of, to, found);
    identity(of, to, found);
    if !found.has_obstacle(&[Check::Driver]) {
        way(of, to, found);
    }
}

fn contact(of: &Subject<'_>, to: &HostId, found: &mut Findings) {
    let advice = "VMS keeps trying: check again once ListHosts shows it online.";
    if let Err(why) = &of.source {
        let why = why.trim_end_matches('.');
        let what = format!(
            "{}, where the router is, cannot be asked: {why}.",
            of.router.host
        );
        found.obstacle(
            Check::Contact,
            what,
            "Both hosts take part in a move.",
            advice,
        );
    }
    let host = of.topology.hosts.get(to);
    let is_there = host.is_some_and(|host| {
        let mut endpoints = host.endpoints.iter();
        let endpoint = endpoints.find(|known| known.driver == of.router.domain.driver);
        // That there is none is said elsewhere.
        endpoint.is_none_or(|known| known.contact.is_current())
    });
    if is_there {
        found.fine(Check::Contact, format!("{to} is in contact."));
    } else {
        let why = host.and_then(|host| host.message.as_deref());
        let why = why.map(|why| format!(": {}", why.trim_end_matches('.')));
        let what = format!("{to} is not in contact{}.", why.unwrap_or_default());
        found.obstacle(
            Check::Contact,
            what,
            "Both hosts take part in a move.",
            advice,
        );
    }
}

fn maintenance(of: &Subject<'_>, to: &HostId, found: &mut Findings) {
    let host = of.topology.hosts.get(to);
    let Some(maintenance) = host.and_then(|host| host.maintenance.as_ref()) else {
        found.fine(Check::Maintenance, format!("{to} is not in maintenance."));
        return;
    };
    let reason = maintenance.reason.as_ref();
    let reason = reason.map(|reason| format!(": {}", reason.trim_end_matches('.')));
    found.obstacle(
        Check::Maintenance,
        format!("{to} is in maintenance{}.", reason.unwrap_or_default()),
        "Nothing new lands on a host in maintenance.",
        "Choose another host, or take it back into use (SetHostMaintenance).",
    );
}

fn driver(of: &Subject<'_>, to: &HostId, found: &mut Findings) {
    let driver = of.router.domain.driver;
    let name = driver.as_str();
    let host = of.topology.hosts.get(to);
    let has = host.is_some_and(|host| host.endpoints.iter().any(|known| known.driver == driver));
    if !has {
        found.obstacle(
            Check::Driver,
            format!("{to} is not registered with the driver {name}."),
            "A router stays with its hypervisor.",
            format!("Choose a host with {name}, or register that driver of {to}, too."),
        );
        return;
    }
    if of.mode == MigrationMode::Live && !can(driver, Capability::Migrate) {
        found.obstacle(
            Check::Driver,
            format!("libvirt's driver {name} cannot move a router while it runs."),
            "Its memory stays where it is.",
            "Move it cold: it is stopped, brought over and started again.",
        );
    } else {
        found.fine(
            Check::Driver,
            format!("{to} has the driver {name}, which can do it."),
        );
    }
}

fn state(of: &Subject<'_>, found: &mut Findings) {
    let domain = &of.router.domain;
    let state = domain.state.as_str();
    if let Some(message) = &domain.message {
        found.obstacle(
            Check::State,
            message.clone(),
            "Its process takes part in a move.",
            "On the host, look at its process: one that was stopped goes on with SIGCONT.",
        );
    } else if of.mode == MigrationMode::Live && !domain.state.is_active() {
        found.obstacle(
            Check::State,
            format!("{} is {state}.", domain.name),
            "Only what runs can be moved live.",
            "Move it cold, or start it first.",
        );
    } else if of.mode == MigrationMode::Cold && !domain.persistent {
        found.obstacle(
            Check::State,
            format!("{} is transient: it is gone once it stops.", domain.name),
            "A cold move stops it, and takes everything back should it fail.",
            "Define it at its host first, or move it live.",
        );
    } else if of.mode == MigrationMode::Cold && domain.state.is_active() {
        found.warning(
            Check::State,
            format!(
                "{} is {state}: it is stopped and started again.",
                domain.name
            ),
            "All that is in its memory is lost, and its links are down meanwhile.",
            None,
        );
    } else {
        found.fine(Check::State, format!("{} is {state}.", domain.name));
    }
    if domain.state == RouterState::Suspended && of.mode == MigrationMode::Cold {
        found.warning(
            Check::State,
            format!("{} is suspended, and runs afterwards.", domain.name),
            "What is paused in memory cannot be brought over cold.",
            None,
        );
    }
}

/// Whether there is room on a host for so much memory and so many processors more, beside all that
/// runs there or is about to. `except` is the router itself, if it is known.
pub(crate) fn room(
    state: &State,
    topology: &Topology,
    to: &HostId,
    except: Option<RouterId>,
    (memory, vcpus): (u64, u32),
    found: &mut Findings,
) {
    let Some(host) = topology.hosts.get(to) else {
        return;
    };
    let policy = &state.policy;
    let there = topology.routers.values();
    // Those that are on their way there count as well: two at once must not take the last room.
    let there = there.filter(|router| {
        Some(router.domain.id) != except
            && (router.host == *to && router.domain.state.is_active()
                || router.migrating_to.as_ref() == Some(to))
    });
    let claimed = claimed(state, topology, to);
    let (mut memory, mut vcpus) = (memory + claimed.0, vcpus + claimed.1);
    for router in there {
        memory = memory.saturating_add(router.domain.memory_bytes);
        vcpus = vcpus.saturating_add(router.domain.vcpus);
    }
    let mib = |bytes: u64| bytes >> 20;
    if let Some(all) = host.node.memory_bytes {
        let most = (all as f64 * policy.memory_overcommit) as u64;
        let what = format!(
            "With it, running routers have {} of {} MiB of {to}'s memory.",
            mib(memory),
            mib(all)
        );
        if memory > most {
            let why = format!(
                "The policy allows {} MiB ({} times its memory).",
                mib(most),
                policy.memory_overcommit
            );
            found.obstacle(
                Check::Memory,
                what,
                why,
                "Choose another host, or raise memory_overcommit.",
            );
        } else {
            found.fine(Check::Memory, what);
        }
    }
    if let Some(all) = host.node.cpus {
        let most = f64::from(all) * policy.vcpu_overcommit;
        let what =
            format!("With it, running routers have {vcpus} virtual processors on {to}'s {all}.");
        if f64::from(vcpus) > most {
            let why = format!(
                "The policy allows {most} ({} times).",
                policy.vcpu_overcommit
            );
            found.obstacle(
                Check::Processors,
                what,
                why,
                "Choose another host, or raise vcpu_overcommit.",
            );
        } else {
            found.fine(Check::Processors, what);
        }
    }
}

/// Memory and processors of routers that are being made on a host and do not run yet.
pub(crate) fn claimed(state: &State, topology: &Topology, on: &HostId) -> (u64, u32) {
    let mut sum = (0_u64, 0_u32);
    state.jobs.unfinished(|plan| {
        let Plan::Task(Task {
            act: Act::CreateRouter(creation),
            ..
        }) = plan
        else {
            return;
        };
        let known = topology.routers.get(&creation.router);
        let runs = known.is_some_and(|router| router.domain.state.is_active());
        if creation.host == *on && !runs && creation.request.start != Some(false) {
            sum.0 = sum.0.saturating_add(creation.memory_bytes);
            sum.1 = sum.1.saturating_add(creation.vcpus);
        }
    });
    sum
}

fn networks(of: &Subject<'_>, to: &HostId, found: &mut Findings) {
    let (reports, links) = (&of.sources.reports, &of.sources.links);
    let placed = Placement::of(reports, links, of.router.domain.id, to);
    let nics = of.router.domain.interfaces.iter().zip(&of.router.segments);
    for ((nic, segment), placement) in nics.zip(placed) {
        let members = segment.as_ref().and_then(|id| of.topology.segments.get(id));
        let others = members.map_or(0, |segment| {
            let members = segment.members.iter();
            members
                .filter(|member| member.router != of.router.domain.id)
                .count()
        });
        let name = attached(nic);
        let whom = match others {
            1 => "the router that it reaches there now".to_owned(),
            more => format!("the {more} routers that it reaches there now"),
        };
        let cut = format!("The router would be cut off from {whom}.");
        let mac = nic.mac;
        match placement {
            Placement::Same => found.fine(
                Check::Network,
                format!("{name} ({mac}) is the same segment on {to}."),
            ),
            Placement::Elsewhere if others == 0 => found.fine(
                Check::Network,
                format!("{to} has {name} ({mac}), and nobody else is on it."),
            ),
            Placement::Elsewhere => found.obstacle(
                Check::Network,
                format!("{name} ({mac}) is another segment on {to}, as far as VMS knows."),
                cut,
                "Choose a host that is on the segment. If this one is, let VMS know: declare the \
                 links, or let it ask by LLDP and for VXLANs.",
            ),
            Placement::Absent => found.obstacle(
                Check::Network,
                format!("There is no {name} ({mac}) on {to}."),
                if others == 0 {
                    "The router cannot start without it.".to_owned()
                } else {
                    cut
                },
                format!("Make {name} there and join it to the segment, or choose another host."),
            ),
            Placement::Untold => found.warning(
                Check::Network,
                format!("{to} does not tell whether it has {name} ({mac})."),
                "If it has not, the router does not start there.",
                Some("Look on the host.".to_owned()),
            ),
            Placement::Unknown => found.obstacle(
                Check::Network,
                format!("The interface {mac} is wired by something else than libvirt."),
                "VMS does not know what would wire it at the destination.",
                "Unplug it, or move the router by hand.",
            ),
            Placement::Unattached => found.warning(
                Check::Network,
                format!("The interface {mac} is on user-mode networking."),
                "Connections through it are lost.",
                None,
            ),
            // Said with the link.
            Placement::Tunnel => {}
        }
    }
}

fn links(of: &Subject<'_>, to: &HostId, found: &mut Findings) {
    for nic in &of.router.domain.interfaces {
        match &nic.attachment {
            model::Attachment::Multicast(Some(group)) => found.fine(
                Check::Link,
                format!(
                    "The multicast link {group} ({}) goes on by itself.",
                    nic.mac
                ),
            ),
            model::Attachment::Tcp(_) => found.obstacle(
                Check::Link,
                format!("The interface {} is one end of a TCP link.", nic.mac),
                "Its connection ends with the move, and QEMU does not make it anew.",
                "Use mcast, udp or a bridge for it.",
            ),
            _ => {}
        }
    }
    for end in of.moved_links(to) {
        let (mac, local) = (end.mac, end.local);
        match (end.to, &end.peer) {
            (None, _) => found.obstacle(
                Check::Link,
                format!("The UDP link at {local} ({mac}) needs an address of {to}."),
                "VMS does not know at which address tunnels end there.",
                format!("Set transport for the host {to} in the configuration."),
            ),
            (Some(there), _) if end.is_taken => found.obstacle(
                Check::Link,
                format!("Another router listens at {there} already."),
                format!("The UDP link of {mac} would not come up."),
                "Give one of them another port.",
            ),
            (Some(there), Some(peer)) => found.warning(
                Check::Link,
                format!("The UDP link at {local} ({mac}) moves to {there}."),
                if can(peer.driver, Capability::ManagedSave) {
                    format!(
                        "It is down until {} at its other end was led there, which stands still \
                         meanwhile, as long as its memory takes to be saved and read.",
                        peer.name
                    )
                } else {
                    format!(
                        "{} at its other end is started anew, to lead there: its driver cannot \
                         save its memory.",
                        peer.name
                    )
                },
                None,
            ),
            (Some(there), None) => found.warning(
                Check::Link,
                format!("The UDP link at {local} ({mac}) moves to {there}."),
                format!(
                    "VMS does not know who is at {}, and cannot mend that end.",
                    end.remote
                ),
                Some(format!("Lead that end to {there} afterwards.")),
            ),
        }
    }
}

fn identity(of: &Subject<'_>, to: &HostId, found: &mut Findings) {
    let mut reports = of.sources.reports.iter();
    let inventory = reports
        .find(|report| report.id == *to)
        .and_then(|r| r.inventory.as_ref());
    let Some(inventory) = inventory else {
        return;
    };
    let domain = &of.router.domain;
    let name = &domain.name;
    match inventory.domains.get(&domain.id) {
        Some(there) if there.state.is_active() => found.obstacle(
            Check::Identity,
            format!("{name} runs on {to}, too."),
            "One router on two hosts is a split brain: both have its addresses.",
            "Look which of the two is to stay, and destroy the other.",
        ),
        Some(_) => found.fine(
            Check::Identity,
            format!("{to} has a standby definition of {name}, which is replaced."),
        ),
        None => {
            let mut others = inventory.domains.values();
            match others.find(|other| other.name == *name) {
                Some(other) => found.obstacle(
                    Check::Identity,
                    format!(
                        "{to} has another router that is called {name} ({}).",
                        other.id
                    ),
                    "Names are unique on a host.",
                    "Rename one of them, or choose another host.",
                ),
                None => found.fine(Check::Identity, format!("Name and UUID are free on {to}.")),
            }
        }
    }
    let same = |a: &HostId, b: &HostId| {
        let uuid = |id| of.topology.hosts.get(id).and_then(|host| host.node.uuid);
        let is_test = domain.driver == model::Driver::Test;
        !is_test && uuid(a).is_some() && uuid(a) == uuid(b)
    };
    if same(&of.router.host, to) {
        found.obstacle(
            Check::Identity,
            format!("{to} reports the same host UUID as {}.", of.router.host),
            "libvirt refuses to move a router to the host that it is on.",
            "Give each libvirtd a host_uuid of its own, or register the machine once.",
        );
    }
}

fn way(of: &Subject<'_>, to: &HostId, found: &mut Findings) {
    if of.mode == MigrationMode::Cold {
        found.fine(
            Check::Way,
            "VMS brings it over by its connections to both hosts.",
        );
        return;
    }
    match live::peer(of.state, to, of.router.domain.driver) {
        Some(uri) => found.fine(
            Check::Way,
            format!(
                "{} drives it, by {uri}; if it cannot reach that, VMS does.",
                of.router.host
            ),
        ),
        None => found.warning(
            Check::Way,
            format!("VMS drives it, for {to} is reached from its own machine only."),
            "If VMS ends meanwhile, libvirt gives the migration up.",
            None,
        ),
    }
}

/// The share of a host's processors that nobody uses now, 0 to 1, as far as it is measured.
pub(crate) fn free_share(state: &State, topology: &Topology, host: &HostId) -> Option<f64> {
    let (cpus, used) = processors(state, topology, host)?;
    Some(((cpus - used) / cpus).clamp(0.0, 1.0))
}

/// The same with the router on it.
pub(super) fn free_with(of: &Subject<'_>, to: &HostId) -> Option<f64> {
    let (cpus, used) = processors(of.state, of.topology, to)?;
    let its = of.state.latest.of(of.router, Timestamp::now());
    let its = its.and_then(|measured| measured.cpus_used);
    Some(((cpus - used - its.unwrap_or_default()) / cpus).clamp(0.0, 1.0))
}

/// A host's processors, and how many of them are used.
fn processors(state: &State, topology: &Topology, host: &HostId) -> Option<(f64, f64)> {
    let cpus = topology.hosts.get(host)?.node.cpus;
    let cpus = f64::from(cpus.filter(|&cpus| cpus > 0)?);
    let now = Timestamp::now();
    let routers = topology.routers.values();
    let there: Vec<_> = routers
        .filter(|router| router.host == *host)
        .filter_map(|router| state.latest.of(router, now))
        .collect();
    let load = hosts::load(state, host, now, there.iter()).and_then(|load| load.cpus_used);
    // Of a host that measures nothing itself, what its routers use.
    let of_routers = || there.iter().filter_map(|measured| measured.cpus_used).sum();
    Some((cpus, load.unwrap_or_else(of_routers)))
}

fn attached(nic: &Nic) -> String {
    use model::Attachment::{Bridge, Direct, Network};
    match &nic.attachment {
        Bridge(name) => format!("bridge {name}"),
        Network(name) => format!("network {name}"),
        Direct(name) => format!("interface {name}"),
        _ => "attachment".to_owned(),
    }
}
