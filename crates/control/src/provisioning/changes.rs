//! What is changed of a router at once: its size, its interfaces.

use super::{
    links,
    nics::{self, NewNic, Plug},
    pools::Taken,
    routers, seed,
};
use crate::{
    fleet::can,
    service::{State, errors},
};
use api::{Effective, Error, NewInterface, NotFound, ResizeRouterRequest};
use libvirt::{Capability, Connection};
use model::{Mac, Router};
use std::{net::IpAddr, sync::Arc};

/// The least memory of a router, bytes.
const LEAST_MEMORY: u64 = 1 << 20;

/// The longest name of a network or a bridge that is looked for.
const LONGEST: usize = 255;

/// What was done, and when it counts.
pub(crate) struct Changed {
    pub effective: Effective,
    pub message: String,
    pub mac: Option<Mac>,
}

/// Checks a number of processors and an amount of memory, as far as no host must be looked at.
pub(crate) fn check_size(vcpus: Option<u32>, memory_bytes: Option<u64>) -> Result<(), Error> {
    if vcpus.is_some_and(|vcpus| !(1..=1024).contains(&vcpus)) {
        return Err(Error::invalid("vcpus", "1 to 1024 were expected"));
    }
    if let Some(bytes) = memory_bytes
        && (bytes < LEAST_MEMORY || bytes % (1 << 20) != 0)
    {
        let message = "whole MiB (1048576 bytes each) were expected, one at least";
        return Err(Error::invalid("memoryBytes", message));
    }
    Ok(())
}

/// Checks that a host has so much, whatever else is on it.
pub(crate) fn check_host(
    host: &model::Host,
    vcpus: Option<u32>,
    memory_bytes: Option<u64>,
) -> Result<(), Error> {
    if let Some((asked, has)) = memory_bytes.zip(host.node.memory_bytes)
        && asked > has
    {
        let (asked, has) = (asked >> 20, has >> 20);
        let message = format!(
            "{asked} MiB are more than {} has in all ({has} MiB)",
            host.id
        );
        return Err(Error::invalid("memoryBytes", message));
    }
    if let Some((asked, has)) = vcpus.zip(host.node.cpus)
        && asked > has
    {
        let message = format!("{asked} are more than {} has processors ({has})", host.id);
        return Err(Error::invalid("vcpus", message));
    }
    Ok(())
}

/// Checks an interface that is asked for, as far as no host must be looked at.
pub(crate) fn check_interface(interface: &NewInterface, element: &str) -> Result<(), Error> {
    if interface.network.is_some() == interface.bridge.is_some() {
        let message = "exactly one of network and bridge was expected";
        return Err(Error::invalid(element, message));
    }
    for (name, element_of) in [
        (&interface.network, "network"),
        (&interface.bridge, "bridge"),
    ] {
        if name.as_ref().is_some_and(|name| name.len() > LONGEST) {
            let message = format!("a name of {LONGEST} bytes at most was expected");
            return Err(Error::invalid(&format!("{element}.{element_of}"), message));
        }
    }
    if interface.addresses.len() > 16 {
        let message = "16 at most were expected";
        return Err(Error::invalid(&format!("{element}.addresses"), message));
    }
    if let Some(mac) = interface.mac
        && (mac.0[0] & 1 == 1 || mac.0 == [0; 6])
    {
        let message = format!("{mac} is no address of one interface: it is a group's, or empty");
        return Err(Error::invalid(&format!("{element}.mac"), message));
    }
    for address in &interface.addresses {
        let parsed = address.split_once('/').and_then(|(ip, prefix)| {
            let ip: IpAddr = ip.parse().ok()?;
            // A number could have a sign.
            let is_number = prefix.bytes().all(|digit| digit.is_ascii_digit());
            let prefix: u8 = prefix.parse().ok().filter(|_| is_number)?;
            (prefix <= if ip.is_ipv4() { 32 } else { 128 }).then_some(())
        });
        if parsed.is_none() {
            let message = format!(
                "{address:?} is no address with a prefix length: 10.0.0.1/24, for example, was expected"
            );
            return Err(Error::invalid(&format!("{element}.addresses"), message));
        }
    }
    Ok(())
}

/// Refuses a MAC address that somebody has.
pub(crate) fn has_mac(mac: Mac) -> Error {
    errors::conflict(format!(
        "{mac} is another interface's: leave it out to get a free one"
    ))
}

/// The interface that is asked for, on a host that has what it is to be attached to.
pub(crate) async fn nic(
    connection: &Connection,
    host: &model::HostId,
    interface: &NewInterface,
    element: &str,
    taken: &mut Taken,
) -> Result<NewNic, Error> {
    let unreadable = |error: libvirt::Error| {
        errors::unreachable(
            &crate::service::translate::id(host),
            None,
            Some(&error.to_string()),
        )
    };
    let no = |kind: &str, name: &str, has: Vec<String>| {
        let message = format!("{host} has no {kind} {name}; {}", errors::listed(&has));
        Error::invalid(&format!("{element}.{kind}"), message)
    };
    let plug = match (&interface.network, &interface.bridge) {
        (Some(name), _) => {
            let networks = connection.list_networks().await.map_err(unreadable)?;
            let known: Vec<_> = networks.into_iter().map(|network| network.name).collect();
            if !known.contains(name) {
                return Err(no("network", name, known));
            }
            Plug::Network(name.clone())
        }
        (None, Some(name)) => {
            let interfaces = connection.list_interfaces().await.map_err(unreadable)?;
            let bridges = interfaces
                .into_iter()
                .filter(|of| of.kind == libvirt::HostInterfaceKind::Bridge);
            let known: Vec<_> = bridges.map(|bridge| bridge.name).collect();
            if !known.contains(name) {
                return Err(no("bridge", name, known));
            }
            Plug::Bridge(name.clone())
        }
        (None, None) => {
            let message = "exactly one of network and bridge was expected";
            return Err(Error::invalid(element, message));
        }
    };
    let mac = match interface.mac {
        Some(mac) => {
            let mac = Mac(mac.0);
            if !taken.macs.insert(mac) {
                return Err(has_mac(mac));
            }
            mac
        }
        None => taken.mac(super::random),
    };
    Ok(NewNic::new(mac, plug, interface.addresses.clone()))
}

/// Changes a router's size: what it has from its next start on, for it is part of the machine.
pub(crate) async fn resize(
    state: &State,
    router: &Arc<Router>,
    request: &ResizeRouterRequest,
) -> Result<Changed, Error> {
    check_size(request.vcpus, request.memory_bytes)?;
    if request.vcpus.is_none() && request.memory_bytes.is_none() {
        let message = "a number of processors (vcpus), memory (memoryBytes), or both were expected";
        return Err(Error::invalid("vcpus", message));
    }
    let view = state.view();
    routers::current(&view, router)?;
    routers::persistent(router)?;
    if let Some(host) = view.topology().hosts.get(&router.host) {
        check_host(host, request.vcpus, request.memory_bytes)?;
    }
    let (host, domain) = (&router.host, &router.domain);
    let failed = |failure: crate::fleet::Failure| errors::from_host(failure, router, None);
    let connection = state
        .fleet
        .connection(host, domain.driver)
        .await
        .map_err(failed)?;
    let failed = |error: libvirt::Error| errors::from_host(error.into(), router, None);
    let definition = connection.inactive_definition(domain.id.0).await;
    let mut definition = definition.map_err(failed)?;
    let mut what = Vec::new();
    if let Some(vcpus) = request.vcpus {
        definition.vcpus = Some(vcpus);
        what.push(format!("{vcpus} virtual processors"));
    }
    if let Some(bytes) = request.memory_bytes {
        definition.memory_bytes = Some(bytes);
        definition.current_memory_bytes = Some(bytes);
        what.push(format!("{} MiB of memory", bytes >> 20));
    }
    connection
        .define_domain(&definition)
        .await
        .map_err(failed)?;
    let effective = effective(router);
    Ok(Changed {
        effective,
        message: format!(
            "{} has {} {}.",
            domain.name,
            what.join(" and "),
            effective.as_str()
        ),
        mac: None,
    })
}

fn effective(router: &Router) -> Effective {
    if router.domain.state.is_active() {
        Effective::NextStart
    } else {
        Effective::Now
    }
}

/// Gives a router an interface.
pub(crate) async fn attach(
    state: &State,
    router: &Arc<Router>,
    interface: &NewInterface,
) -> Result<Changed, Error> {
    check_interface(interface, "interface")?;
    let view = state.view();
    routers::current(&view, router)?;
    routers::persistent(router)?;
    let (host, domain) = (&router.host, &router.domain);
    let failed = |failure: crate::fleet::Failure| errors::from_host(failure, router, None);
    let connection = state
        .fleet
        .connection(host, domain.driver)
        .await
        .map_err(failed)?;
    let _turn = state.provisioning.lock().await;
    let failed = |error: libvirt::Error| errors::from_host(error.into(), router, None);
    let mut taken = links::taken(state).await?;
    // What it gets at its next start nobody reports.
    let own = connection.inactive_definition(domain.id.0).await;
    taken.macs.extend(nics::macs(&own.map_err(failed)?));
    let nic = nic(&connection, host, interface, "interface", &mut taken).await?;
    let now = can(router.domain.driver, Capability::DeviceHotplug);
    if let Err(error) = links::plug(&connection, domain.id, domain.driver, &nic, now).await {
        // It is in its definition, and its hypervisor did not take it: all of it, or nothing.
        if let Err(error) = remove(&connection, domain.id, nic.mac).await {
            tracing::warn!(router = %domain.name, mac = %nic.mac, %error, "half an interface is left");
        }
        return Err(failed(error));
    }
    let effective = if now {
        Effective::Now
    } else {
        effective(router)
    };
    let (name, mac) = (&domain.name, nic.mac);
    Ok(Changed {
        effective,
        message: format!("{name} has the interface {mac} {}.", effective.as_str()),
        mac: Some(mac),
    })
}

/// Takes an interface away from a router.
pub(crate) async fn detach(
    state: &State,
    router: &Arc<Router>,
    mac: Mac,
) -> Result<Changed, Error> {
    let view = state.view();
    routers::current(&view, router)?;
    routers::persistent(router)?;
    let links = links::all(state).await?;
    let of_link = links.iter().find(|made| {
        let mut ends = made.ends().into_iter();
        ends.any(|end| end.router.0 == router.domain.id.0 && end.mac.0 == mac.0)
    });
    if let Some(made) = of_link {
        return Err(errors::conflict(format!(
            "{mac} is an end of the link {}: delete that (DeleteVirtualLink)",
            made.link.id
        )));
    }
    let (host, domain) = (&router.host, &router.domain);
    let failed = |failure: crate::fleet::Failure| errors::from_host(failure, router, None);
    let connection = state
        .fleet
        .connection(host, domain.driver)
        .await
        .map_err(failed)?;
    let failed = |error: libvirt::Error| errors::from_host(error.into(), router, None);
    let removed = remove(&connection, domain.id, mac).await.map_err(failed)?;
    if !removed {
        let has: Vec<_> = domain
            .interfaces
            .iter()
            .map(|nic| nic.mac.to_string())
            .collect();
        return Err(NotFound {
            kind: "interface".to_owned(),
            id: mac.to_string(),
            message: format!(
                "{} has no interface {mac}; {}",
                domain.name,
                errors::listed(&has)
            ),
        }
        .into());
    }
    let effective = if can(router.domain.driver, Capability::DeviceHotplug) {
        Effective::Now
    } else {
        effective(router)
    };
    Ok(Changed {
        effective,
        message: format!("{} is without {mac} {}.", domain.name, effective.as_str()),
        mac: Some(mac),
    })
}

/// Takes an interface out of what a router starts with, and out of what it runs with where its driver
/// can. Answers whether it was in one of them.
pub(crate) async fn remove(
    connection: &Connection,
    router: model::RouterId,
    mac: Mac,
) -> Result<bool, libvirt::Error> {
    let Some(domain) = connection.domain(router.0).await? else {
        return Ok(false);
    };
    let mut was_in_it = false;
    if domain.persistent {
        let mut definition = connection.inactive_definition(router.0).await?;
        was_in_it = nics::take_out(&mut definition, mac);
        if was_in_it {
            connection.define_domain(&definition).await?;
            seed::retell(connection, router, &definition).await?;
        }
    }
    let text = mac.to_string();
    let mut running = domain.definition.interfaces.iter();
    let device = running.find(|nic| nic.mac.as_deref() == Some(&text));
    let plugs = connection
        .uri()
        .driver()
        .supports(Capability::DeviceHotplug);
    if let Some(device) = device
        && domain.state.is_active()
    {
        was_in_it = true;
        if plugs {
            let device = device.to_xml();
            connection
                .detach_device(router.0, &device, true, false)
                .await?;
        }
    }
    Ok(was_in_it)
}
