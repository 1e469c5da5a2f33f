//! What is done on one host, beside the move itself: cleaning up, starting, mending links.
//!
//! Every chore can be done again, and does nothing that another state of the host would make wrong:
//! a definition is removed only while it is shut off, a router started only where it is defined.

use super::plan::{Chore, Plan, Replug, What};
use crate::{fleet::Failure, service::State};
use libvirt::{Capability, Connection, DomainState, DomainXml, ErrorKind};

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
    let connection = state.fleet.connection(&chore.host, plan.driver).await;
    let done = match connection {
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
                if domain.persistent {
                    connection.undefine_domain(router).await
                } else {
                    Ok(())
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

/// Leads the other end of a UDP link to where the moved router is.
///
/// QEMU cannot change a UDP NIC that is plugged, and libvirt (9.0) plugs none into a guest that runs.
/// So the guest's memory is saved, the host's end of the NIC is changed in what it goes on with, and
/// it goes on: it stands still for as long as its memory takes to be written and read, and sees nothing
/// of it.
async fn plug_anew(connection: &Connection, replug: &Replug) -> Result<(), Failure> {
    let router = replug.router.0;
    let Some(domain) = connection.domain(router).await? else {
        return Ok(());
    };
    if !connection.uri().driver().supports(Capability::ManagedSave) {
        return start_anew(connection, replug, domain.state).await;
    }
    // It may be saved already, by this chore, before the server died.
    let mut saved = connection.saved_definition(router).await?;
    if saved.is_none() && domain.state.is_active() {
        if !lead(&mut domain.definition.clone(), replug) {
            return Ok(());
        }
        connection.save_domain(router).await?;
        saved = connection.saved_definition(router).await?;
    }
    let mut kept = connection.inactive_definition(router).await?;
    if lead(&mut kept, replug) {
        connection.define_domain(&kept).await?;
    }
    let Some(before) = saved else {
        return Ok(());
    };
    let mut after = before.clone();
    lead(&mut after, replug);
    connection.define_saved(router, &after).await?;
    if let Err(error) = connection.start_domain(router).await {
        // As it was is better than not at all.
        connection.define_saved(router, &before).await?;
        connection.start_domain(router).await?;
        return Err(error.into());
    }
    Ok(())
}

/// The same where no memory can be saved: the router gets another definition, and is started with
/// it.
async fn start_anew(
    connection: &Connection,
    replug: &Replug,
    state: DomainState,
) -> Result<(), Failure> {
    let router = replug.router.0;
    let mut definition = connection.inactive_definition(router).await?;
    if !lead(&mut definition, replug) {
        return Ok(());
    }
    connection.define_domain(&definition).await?;
    if state.is_active() {
        connection.destroy_domain(router).await?;
        connection.start_domain(router).await?;
        if state == DomainState::Paused {
            connection.suspend(router).await?;
        }
    }
    Ok(())
}

/// Lets the NIC of a definition lead to where it is to; answers whether it did not yet.
fn lead(definition: &mut DomainXml, replug: &Replug) -> bool {
    let mac = replug.mac.to_string();
    let mut nics = definition.interfaces.iter_mut();
    let nic = nics.find(|nic| nic.mac.as_deref() == Some(&mac));
    let Some((nic, (address, port))) = nic.zip(replug.to.rsplit_once(':')) else {
        return false;
    };
    let before = nic.source.clone();
    nic.source.address = Some(address.to_owned());
    nic.source.port = port.parse().ok();
    nic.source != before
}
