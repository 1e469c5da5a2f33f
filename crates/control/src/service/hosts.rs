//! Hosts: their status, and their coming and going.

use super::{State, authorise, errors, once::Once, translate};
use crate::{EndpointSettings, HostAddresses, HostSettings, discovery::Update, store::StoreError};
use api::{
    Caller, CheckHostReply, CheckHostRequest, CheckOutcome, CheckStep, CheckStepKind, Driver,
    EndpointAddress, Error, GetHostStatusReply, GetHostStatusRequest, HostId, HostLoad,
    RegisterHostReply, RegisterHostRequest, RemoveHostReply, RemoveHostRequest, Role,
    RouterMeasurement, Timestamp, Transport, UnresponsiveRouter,
};
use libvirt::{Uri, UriError};
use model::{Contact, HostReport, Origin};
use std::{net::Ipv6Addr, sync::Arc};
use tokio::sync::oneshot;

/// One host and what it uses now.
pub(crate) fn status(
    state: &State,
    request: &GetHostStatusRequest,
) -> Result<GetHostStatusReply, Error> {
    let view = state.view();
    let id = translate::host_id(&request.host);
    let (source, host) = view
        .host_of(&id)
        .ok_or_else(|| errors::no_host(&request.host, view.topology()))?;
    let contact = state.fleet.contact(&id);
    let now = Timestamp::now();
    let load = if source.current {
        let routers = view.topology().routers.values();
        let here: Vec<_> = (routers.filter(|router| router.host == id))
            .filter_map(|router| state.latest.of(router, now))
            .collect();
        load(state, &id, now, here.iter())
    } else {
        None
    };
    let mut unresponsive_routers = Vec::new();
    for endpoint in contact.iter().flat_map(|contact| &contact.endpoints) {
        for (router, since) in endpoint.sticking() {
            let known = view.topology().routers.get(&router);
            unresponsive_routers.push(UnresponsiveRouter {
                router: translate::router_id(router),
                name: known.map_or_else(|| router.to_string(), |known| known.domain.name.clone()),
                since,
                message: endpoint.message(router).unwrap_or_default(),
            });
        }
    }
    unresponsive_routers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(GetHostStatusReply {
        as_of: now,
        source,
        host,
        load,
        unresponsive_routers,
        hanging_calls: contact.map_or(0, |contact| contact.hanging() as u32),
    })
}

/// What a host uses; of one of the demo, what these routers on it are made to use, together.
pub(crate) fn load<'a>(
    state: &State,
    host: &model::HostId,
    now: Timestamp,
    routers: impl Iterator<Item = &'a RouterMeasurement>,
) -> Option<HostLoad> {
    if let Some(load) = state.latest.of_host(host, now) {
        return Some(load);
    }
    let measured: Vec<_> = routers.filter(|measured| measured.simulated).collect();
    let cpus: Vec<_> = measured.iter().filter_map(|m| m.cpus_used).collect();
    let memory: Vec<_> = measured
        .iter()
        .filter_map(|m| m.memory_used_bytes)
        .collect();
    Some(HostLoad {
        at: measured.iter().map(|measured| measured.at).max()?,
        simulated: true,
        cpus_used: (!cpus.is_empty()).then(|| cpus.iter().sum()),
        memory_used_bytes: (!memory.is_empty()).then(|| memory.iter().sum()),
    })
}

/// Takes a host into the fleet.
pub(crate) async fn register(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: RegisterHostRequest,
) -> Result<RegisterHostReply, Error> {
    let act = once.act(
        caller,
        "RegisterHost",
        request.host.to_string(),
        request.request_id.clone(),
    );
    let state = Arc::clone(state);
    act.carry_out(Role::Administrator, async move {
        let settings = settings(&request)?;
        let _turn = state.registering.lock().await;
        let id = translate::host_id(&request.host);
        if state.view().topology().hosts.contains_key(&id) {
            return Err(errors::conflict(format!(
                "a host {} is registered already: choose another id, or remove that one first",
                request.host
            )));
        }
        let stored = state.store.put_host(&request).await;
        stored.map_err(|error| not_stored(&error))?;
        let report = report(&settings, Origin::Registered, None);
        publish(&state, |published| Update::Report {
            report: Box::new(report.clone()),
            published: vec![published],
        })
        .await;
        // How the first attempt goes is told by the topology.
        drop(state.fleet.add(&settings, report));
        let view = state.view();
        let (_, host) = view
            .host_of(&id)
            .ok_or_else(|| errors::no_host(&request.host, view.topology()))?;
        Ok(RegisterHostReply {
            as_of: Timestamp::now(),
            host,
        })
    })
    .await
}

/// Lets a host go.
pub(crate) async fn remove(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: RemoveHostRequest,
) -> Result<RemoveHostReply, Error> {
    let RemoveHostRequest { host, request_id } = request;
    let act = once.act(caller, "RemoveHost", host.to_string(), request_id);
    let state = Arc::clone(state);
    act.carry_out(Role::Administrator, async move {
        let _turn = state.registering.lock().await;
        let id = translate::host_id(&host);
        let view = state.view();
        let known = (view.topology().hosts.get(&id))
            .ok_or_else(|| errors::no_host(&host, view.topology()))?;
        if known.origin == Origin::Configured {
            return Err(errors::conflict(format!(
                "the host {host} is named by the server's configuration: take it out there and \
                 start the server again"
            )));
        }
        state.jobs.refuse_if_at(&host)?;
        let stored = state.store.remove_host(&host).await;
        stored.map_err(|error| not_stored(&error))?;
        state.fleet.remove(&id).await;
        publish(&state, |published| Update::Remove {
            host: id,
            published,
        })
        .await;
        Ok(RemoveHostReply {
            as_of: Timestamp::now(),
            host,
        })
    })
    .await
}

/// Tries an endpoint.
pub(crate) async fn check(
    state: &State,
    caller: &Caller,
    request: CheckHostRequest,
) -> Result<CheckHostReply, Error> {
    authorise(caller, Role::Administrator)?;
    let (uri, checked) = match endpoint("endpoint", &request.endpoint) {
        Ok(endpoint) => {
            let view = state.view();
            let known = |uuid| {
                let mut hosts = view.topology().hosts.values();
                let host = hosts.find(|host| host.node.uuid == Some(uuid))?;
                Some(host.id.to_string())
            };
            let uri = endpoint.uri.to_string();
            (uri, state.fleet.check(&endpoint, known).await)
        }
        // What cannot even be tried is an answer to whoever wants to know.
        Err(Error::InvalidArgument(wrong)) => {
            let step = CheckStep {
                step: CheckStepKind::Address,
                outcome: CheckOutcome::Failed,
                explanation: wrong.message,
                milliseconds: 0.0,
            };
            let checked = crate::fleet::Checked {
                steps: vec![step],
                capabilities: Vec::new(),
            };
            (String::new(), checked)
        }
        Err(error) => return Err(error),
    };
    let failed = |step: &CheckStep| step.outcome == CheckOutcome::Failed;
    Ok(CheckHostReply {
        as_of: Timestamp::now(),
        uri,
        usable: !checked.steps.iter().any(failed),
        steps: checked.steps,
        capabilities: checked.capabilities,
    })
}

/// A host as it is registered, with what was known of it.
pub(crate) fn report(
    settings: &HostSettings,
    origin: Origin,
    known: Option<&HostReport>,
) -> HostReport {
    let endpoints = settings.endpoints.iter();
    HostReport {
        id: translate::host_id(&settings.id),
        name: settings
            .name
            .clone()
            .unwrap_or_else(|| settings.id.to_string()),
        site: settings.site.clone(),
        origin,
        maintenance: known.and_then(|known| known.maintenance.clone()),
        endpoints: endpoints
            .map(|endpoint| model::Endpoint {
                driver: crate::fleet::driver(endpoint.uri.driver()),
                uri: endpoint.uri.to_string(),
                contact: Contact::Connecting,
                message: None,
            })
            .collect(),
        inventory: known.and_then(|known| known.inventory.clone()),
        // What nobody asks for any more would never be forgotten.
        neighbors: (known.filter(|_| settings.lldp.is_some()))
            .map(|known| known.neighbors.clone())
            .unwrap_or_default(),
        vxlans: (known.filter(|_| settings.vxlan.is_some()))
            .map(|known| known.vxlans.clone())
            .unwrap_or_default(),
    }
}

/// What a registration says, checked: every error names its element.
pub(crate) fn settings(request: &RegisterHostRequest) -> Result<HostSettings, Error> {
    check_id(&request.host)?;
    for (element, text) in [("name", &request.name), ("site", &request.site)] {
        if let Some(text) = text {
            check_text(element, text)?;
        }
    }
    let mut endpoints = Vec::with_capacity(request.endpoints.len());
    for (index, address) in request.endpoints.iter().enumerate() {
        let element = format!("endpoints[{}]", index + 1);
        endpoints.push(endpoint(&element, address)?);
    }
    let settings = HostSettings {
        id: request.host.clone(),
        name: request.name.clone(),
        site: request.site.clone(),
        endpoints,
        // Whoever may register hosts may not make the server read its own machine's sockets, nor
        // run programs.
        lldp: None,
        vxlan: None,
        traffic: None,
        addresses: HostAddresses::default(),
    };
    match settings.complaint() {
        None => Ok(settings),
        Some(complaint) => Err(Error::invalid("endpoints", complaint)),
    }
}

/// An id that people can type, and that needs no care in an address, a file or a shell.
fn check_id(id: &HostId) -> Result<(), Error> {
    let text = id.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = text.len() <= 64
        && text.chars().all(plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if fits {
        return Ok(());
    }
    Err(Error::invalid(
        "host",
        format!(
            "{text:?} cannot be a host's id: letters, digits, '.', '_' and '-' were expected, 64 at \
             most, a letter or digit first"
        ),
    ))
}

pub(crate) fn check_text(element: &str, text: &str) -> Result<(), Error> {
    let fits = (1..=128).contains(&text.chars().count())
        && !text.trim().is_empty()
        && !text.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    Err(Error::invalid(
        element,
        "1 to 128 characters on one line were expected, or nothing at all",
    ))
}

/// An endpoint from its fields.
fn endpoint(element: &str, address: &EndpointAddress) -> Result<EndpointSettings, Error> {
    let driver = match address.driver {
        Driver::Qemu => libvirt::Driver::Qemu,
        Driver::Xen => libvirt::Driver::Xen,
        Driver::Lxc => libvirt::Driver::Lxc,
        Driver::Test => libvirt::Driver::Test,
    };
    let transport = match address.transport {
        Transport::Local => libvirt::Transport::Local,
        Transport::Ssh => libvirt::Transport::Ssh,
        Transport::Tls => libvirt::Transport::Tls,
        Transport::Tcp => libvirt::Transport::Tcp,
    };
    let path = match driver {
        libvirt::Driver::Test => "default",
        _ => "system",
    };
    // An IPv6 address stands in brackets in a URI; people type it without.
    let bracketed = (address.address.as_deref())
        .filter(|text| text.parse::<Ipv6Addr>().is_ok())
        .map(|text| format!("[{text}]"));
    let uri = Uri::new(
        driver,
        transport,
        address.user.as_deref(),
        bracketed.as_deref().or(address.address.as_deref()),
        address.port,
        path,
    );
    let of = |field: &str| format!("{element}.{field}");
    if address.user.as_ref().is_some_and(|user| user.contains(':')) {
        // It is not repeated.
        return Err(Error::invalid(&of("user"), UriError::Password.to_string()));
    }
    let uri = uri.map_err(|error| Error::invalid(&of(field_of(&error)), error.to_string()))?;
    let key = address.key.as_deref().map(str::parse).transpose();
    let key = key.map_err(|message: String| Error::invalid(&of("key"), message))?;
    if key.is_some() && address.transport != Transport::Ssh {
        return Err(Error::invalid(
            &of("key"),
            "a key is used by the ssh transport only: leave it out",
        ));
    }
    Ok(EndpointSettings { uri, key })
}

/// The field that an address is wrong by.
fn field_of(error: &UriError) -> &'static str {
    match error {
        UriError::User(_) | UriError::UserUnused | UriError::Password => "user",
        UriError::Port(_) => "port",
        UriError::Host(_) | UriError::HostMissing(_) | UriError::HostUnexpected => "address",
        _ => "transport",
    }
}

/// Tells discovery of something, and waits until the topology shows it.
pub(crate) async fn publish(state: &State, update: impl FnOnce(oneshot::Sender<()>) -> Update) {
    let (published, done) = oneshot::channel();
    if state.updates.send(update(published)).await.is_ok() {
        // Without discovery the server is ending.
        let _ = done.await;
    }
}

fn not_stored(error: &StoreError) -> Error {
    errors::internal(
        "the registration could not be stored, so it is as it was",
        error,
    )
}
