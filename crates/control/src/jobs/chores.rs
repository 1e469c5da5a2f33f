//! What is done on one host, beside the move itself: cleaning up, starting, mending links.
//!
//! Every chore can be done again, and does nothing that another state of the host would make wrong:
//! a definition is removed only while it is shut off, a router started only where it is defined.

use super::plan::{Chore, Plan, Replug, What};
use crate::{fleet::Failure, service::State};
use libvirt::{Capability, Connection, DomainState, ErrorKind, InterfaceXml};
use std::time::{Duration, Instant};

/// How long a guest may take to let go of an interface.
const UNPLUG: Duration = Duration::from_secs(20);

/// How a chore went.
pub(crate) enum Done {
    /// It is done, or there was nothing to do.
    Yes,
    /// The host cannot be asked now: again later.
    Later(String),
    /// The host refuses: it is left.
    Refused(String),
}

/// Does one.
pub(crate) async fn act(state: &State, plan: &Plan, chore: &Chore) -> Done {
    let session = state.fleet.session(&chore.host, plan.driver, "job").await;
    let done = match session {
        Ok(connection) => carry_out(&connection, plan, &chore.what).await,
        Err(failure) => Err(failure),
    };
    match done {
        Ok(()) => Done::Yes,
        Err(Failure::NotConnected) => Done::Later("it is not in contact".to_owned()),
        Err(Failure::Sticks(message)) => Done::Refused(message),
        Err(Failure::Libvirt(error)) if error.is_retryable() => Done::Later(error.to_string()),
        Err(Failure::Libvirt(error)) => Done::Refused(error.to_string()),
    }
}

async fn carry_out(connection: &Connection, plan: &Plan, what: &What) -> Result<(), Failure> {
    let router = plan.router.0;
    let done = match what {
        What::DeleteVolume { pool, volume } => connection.delete_volume(pool, volume).await,
        What::Undefine => match connection.domain(router).await? {
            Some(domain) if domain.state == DomainState::Running => {
                return Err(Failure::Sticks(format!(
                    "{} runs there: it is left alone, look which of the two is to stay",
                    plan.name
                )));
            }
            Some(domain) if domain.state.is_active() => {
                // Half of a move that did not happen, or what a move let go of.
                connection.destroy_domain(router).await?;
                match domain.persistent {
                    true => connection.undefine_domain(router).await,
                    false => Ok(()),
                }
            }
            Some(_) => connection.undefine_domain(router).await,
            None => Ok(()),
        },
        What::SetAutostart(autostart) => match connection.domain(router).await? {
            Some(domain) if domain.persistent && domain.autostart != *autostart => {
                connection.set_autostart(router, *autostart).await
            }
            _ => Ok(()),
        },
        What::Start => match connection.domain(router).await? {
            Some(domain) if !domain.state.is_active() => connection.start_domain(router).await,
            _ => Ok(()),
        },
        What::Replug(replug) => return plug_anew(connection, replug).await,
    };
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => Ok(done?),
    }
}

/// Leads the other end of a UDP link to where the moved router is. libvirt cannot change that of a
/// NIC that is plugged.
async fn plug_anew(connection: &Connection, replug: &Replug) -> Result<(), Failure> {
    let router = replug.router.0;
    let mac = replug.mac.to_string();
    let nic = async || -> Result<Option<InterfaceXml>, Failure> {
        let domain = connection.domain(router).await?;
        let interfaces = domain.into_iter().flat_map(|d| d.definition.interfaces);
        let mut named = interfaces.filter(|nic| nic.mac.as_deref() == Some(&mac));
        Ok(named.next())
    };
    let Some(plugged) = nic().await? else {
        return Ok(());
    };
    let Some((address, port)) = replug.to.rsplit_once(':') else {
        return Ok(());
    };
    let mut wanted = plugged.clone();
    wanted.source.address = Some(address.to_owned());
    wanted.source.port = port.parse().ok();
    wanted.alias = None;
    if wanted.source == plugged.source {
        return Ok(());
    }
    if !connection
        .uri()
        .driver()
        .supports(Capability::DeviceHotplug)
    {
        return start_anew(connection, replug, wanted).await;
    }
    let domain = connection.domain(router).await?;
    let is_live = domain.as_ref().is_some_and(|d| d.state.is_active());
    let is_kept = domain.as_ref().is_some_and(|d| d.persistent);
    let unplug = plugged.to_xml();
    connection
        .detach_device(router, &unplug, is_live, is_kept)
        .await?;
    let since = Instant::now();
    while is_live && nic().await?.is_some() {
        if since.elapsed() > UNPLUG {
            return Err(Failure::Sticks(format!(
                "the guest {} does not let go of its interface {mac}",
                replug.name
            )));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let plug = wanted.to_xml();
    Ok(connection
        .attach_device(router, &plug, is_live, is_kept)
        .await?)
}

/// The same where nothing can be plugged while it runs: the router gets another definition, and is
/// started with it.
async fn start_anew(
    connection: &Connection,
    replug: &Replug,
    wanted: InterfaceXml,
) -> Result<(), Failure> {
    let router = replug.router.0;
    let mut definition = connection.inactive_definition(router).await?;
    let mut nics = definition.interfaces.iter_mut();
    if let Some(nic) = nics.find(|nic| nic.mac == wanted.mac) {
        nic.source = wanted.source;
    }
    let state = connection.domain(router).await?.map(|domain| domain.state);
    connection.define_domain(&definition).await?;
    if state.is_some_and(DomainState::is_active) {
        connection.destroy_domain(router).await?;
        connection.start_domain(router).await?;
        if state == Some(DomainState::Paused) {
            connection.suspend(router).await?;
        }
    }
    Ok(())
}
