//! What is done on one host, beside the move itself: cleaning up, starting, mending links.
//!
//! Every chore can be done again, and does nothing that another state of the host would make wrong:
//! a definition is removed only while it is shut off, a router started only where it is defined.

use super::plan::{Chore, Replug, Subject, What};
use crate::{fleet::Failure, images::shipping, provisioning, service::State, store::VolumeRow};
use api::Timestamp;
use libvirt::{Capability, Connection, DomainState, DomainXml, Error, ErrorKind};
use model::Mac;
use std::{net::SocketAddr, time::Duration};
use uuid::Uuid;

/// How often it is looked whether a router is off.
const PAUSE: Duration = Duration::from_millis(200);

/// How a chore went.
pub(crate) enum Done {
    /// It is done, or there was nothing to do.
    Yes,
    /// The host cannot be asked now: again later.
    Later(String),
    /// The host refuses: it is left.
    Refused(String),
}

/// Until when a chore is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Until {
    Later,
    Never,
}

/// What must not be done because what comes before it was not: a router's disks go after the router,
/// and what carries a link after its interfaces; so that there is the whole of it, or what can be asked
/// for again.
#[derive(Debug, Default)]
pub(crate) struct Held {
    all: Option<Until>,
    /// Of one link, whose last chore is that it is forgotten.
    link: Option<Until>,
}

impl Held {
    /// Until when this one is held up.
    pub fn holds(&self, what: &What) -> Option<Until> {
        let is_of_link = matches!(
            what,
            What::RemoveNetwork { .. } | What::Restart { .. } | What::ForgetLink(_)
        );
        self.all.max(self.link.filter(|_| is_of_link))
    }

    /// Takes in how one went.
    pub fn learn(&mut self, what: &What, done: &Done) {
        let until = match done {
            Done::Yes => None,
            Done::Later(_) => Some(Until::Later),
            Done::Refused(_) => Some(Until::Never),
        };
        match what {
            What::Remove => self.all = self.all.max(until),
            What::RemoveInterface { .. } | What::RemoveNetwork { .. } => {
                self.link = self.link.max(until);
            }
            What::ForgetLink(_) => self.link = None,
            _ => {}
        }
    }
}

/// Does one.
pub(crate) async fn act(state: &State, subject: &Subject, chore: &Chore) -> Done {
    let subject = Subject {
        driver: chore.driver.unwrap_or(subject.driver),
        router: chore.router.unwrap_or(subject.router),
        ..subject.clone()
    };
    if let What::ForgetLink(link) = &chore.what {
        return match state.store.forget_link(*link).await {
            Ok(()) => Done::Yes,
            Err(error) => Done::Later(format!("vms.db cannot be written: {error}")),
        };
    }
    if let What::DeleteImage(image) = &chore.what {
        return match state.images.remove(*image).await {
            Ok(()) => Done::Yes,
            Err(error) => Done::Later(error.to_string()),
        };
    }
    let host = &chore.host;
    let connection = state.fleet.connection(host, subject.driver).await;
    let done = match connection {
        Ok(connection) => match &chore.what {
            What::EvictImage {
                image,
                pool,
                volume,
                sha256,
            } => {
                let row = VolumeRow {
                    host: host.clone(),
                    driver: subject.driver,
                    pool: pool.clone(),
                    volume: volume.clone(),
                    path: String::new(),
                    sha256: sha256.clone(),
                };
                shipping::evict(state, &connection, host, *image, &row).await
            }
            What::RemovePool { pool } => {
                shipping::remove_pool(state, &connection, host, pool).await
            }
            what => carry_out(&connection, &subject, what).await,
        },
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

async fn carry_out(connection: &Connection, subject: &Subject, what: &What) -> Result<(), Failure> {
    let router = subject.router.0;
    let done = match what {
        What::DeleteVolume { pool, volume } => {
            if let Some(by) = needed_by(connection, pool, volume).await? {
                return Err(Failure::Sticks(format!("{by} needs it")));
            }
            connection.delete_volume(pool, volume).await
        }
        What::Undefine => match connection.domain(router).await? {
            // What a move leaves behind is paused.
            Some(domain) if domain.state.is_active() && domain.state != DomainState::Paused => {
                return Err(Failure::Sticks(format!(
                    "{} runs there: it is left alone, look which of the two is to stay",
                    subject.name
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
        What::Start => start(connection, subject).await,
        What::Resume => match connection.domain(router).await? {
            Some(domain) if domain.state == DomainState::Paused => connection.resume(router).await,
            _ => Ok(()),
        },
        What::Replug(replug) => return plug_anew(connection, replug).await,
        What::Remove => remove(connection, router).await,
        What::RemoveNetwork { network } => remove_network(connection, network).await,
        What::RemoveInterface { mac } => {
            let removed = provisioning::changes::remove(connection, subject.router, *mac).await;
            removed.map(|_| ())
        }
        What::Restart { mac, seconds, run } => {
            return run_without(connection, subject, *mac, *seconds, *run).await;
        }
        // Done above.
        What::ForgetLink(_)
        | What::DeleteImage(_)
        | What::EvictImage { .. }
        | What::RemovePool { .. } => Ok(()),
    };
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => Ok(done?),
    }
}

/// Switches a router off, if it runs, and removes it.
async fn remove(connection: &Connection, router: Uuid) -> Result<(), Error> {
    let Some(domain) = connection.domain(router).await? else {
        return Ok(());
    };
    if domain.state.is_active() {
        match connection.destroy_domain(router).await {
            // It stopped by itself.
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            done => done?,
        }
    }
    if domain.persistent {
        connection.undefine_domain(router).await?;
    }
    Ok(())
}

/// Takes a network away that VMS made.
async fn remove_network(connection: &Connection, name: &str) -> Result<(), Error> {
    match connection.stop_network(name).await {
        // It is not started.
        Err(error) if error.kind() == ErrorKind::Conflict => {}
        stopped => stopped?,
    }
    connection.undefine_network(name).await
}

/// Lets a router run without an interface that is no longer in its definition.
async fn run_without(
    connection: &Connection,
    subject: &Subject,
    mac: Mac,
    seconds: u32,
    run: Option<u32>,
) -> Result<(), Failure> {
    let router = subject.router;
    let Some(domain) = connection.domain(router.0).await? else {
        return Ok(());
    };
    let of = mac.to_string();
    let mut nics = domain.definition.interfaces.iter();
    let has_it = nics.any(|nic| nic.mac.as_deref() == Some(&of));
    if domain.state.is_active() && has_it {
        if !domain.persistent {
            return Err(Failure::Sticks(format!(
                "{} has no definition any more that it could be started with",
                domain.name
            )));
        }
        // Nobody cancels a chore.
        let off = provisioning::routers::turn_off(connection, router, seconds, || Ok(())).await;
        off.unwrap_or(Ok(()))?;
    } else if domain.state.is_active() && (run.is_none() || domain.id != run) {
        return Ok(());
    }
    // One that was asked to shut down already may still do so.
    match start(connection, subject).await {
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        started => Ok(started?),
    }
}

/// Who on a host needs a volume: a router, this one or another, or a volume that is made on it.
pub(crate) async fn needed_by(
    connection: &Connection,
    pool: &str,
    volume: &str,
) -> Result<Option<String>, Error> {
    let Some(known) = connection.volume(pool, volume).await? else {
        return Ok(None);
    };
    let path = known.path;
    let in_pool = format!("{pool}/{volume}");
    let is_it = |source: &Option<String>| {
        let source = source.as_deref();
        source == Some(path.as_str()) || source == Some(&in_pool)
    };
    for domain in connection.list_domains().await? {
        let of = &domain.definition;
        let mut disks = of.disks.iter().map(|disk| &disk.source);
        let mut filesystems = of.filesystems.iter().map(|of| &of.source);
        if disks.any(is_it) || filesystems.any(is_it) {
            return Ok(Some(of.name.clone()));
        }
    }
    for pool in connection.list_pools().await? {
        if !pool.state.is_active() {
            continue;
        }
        let volumes = connection.list_volumes(&pool.definition.name).await?;
        let mut above = volumes.into_iter();
        if let Some(above) = above.find(|of| of.definition.backing_path.as_ref() == Some(&path)) {
            return Ok(Some(format!("the volume {}", above.name)));
        }
    }
    Ok(None)
}

/// Starts a router that was asked to shut down, once it has: a guest that was asked cannot be told
/// that it need not.
async fn start(connection: &Connection, subject: &Subject) -> Result<(), Error> {
    let router = subject.router.0;
    loop {
        match connection.domain(router).await? {
            Some(domain) if !domain.state.is_active() => {
                return connection.start_domain(router).await;
            }
            Some(_)
                if subject
                    .shut_down_until
                    .is_some_and(|until| Timestamp::now() < until) => {}
            _ => return Ok(()),
        }
        tokio::time::sleep(PAUSE).await;
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
    // While it runs: whatever fails here costs it nothing.
    if domain.persistent {
        let mut kept = connection.inactive_definition(router).await?;
        if lead(&mut kept, replug) {
            connection.define_domain(&kept).await?;
        }
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
    let Some(before) = saved else {
        return Ok(());
    };
    let mut after = before.clone();
    lead(&mut after, replug);
    let led = connection.define_saved(router, &after).await;
    if !replug.was_active {
        // Somebody saved it, to go on some other time.
        return Ok(led?);
    }
    let started = match led {
        Ok(()) => connection.start_domain(router).await,
        Err(error) => Err(error),
    };
    if let Err(error) = started {
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
    let Some((nic, to)) = nic.zip(replug.to.parse::<SocketAddr>().ok()) else {
        return false;
    };
    let before = nic.source.clone();
    nic.source.address = Some(to.ip().to_string());
    nic.source.port = Some(to.port());
    nic.source != before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_what_was_not_done_waits_or_stays() {
        let later = || Done::Later("it is away".to_owned());
        let never = || Done::Refused("it cannot".to_owned());
        let interface = What::RemoveInterface { mac: Mac([2; 6]) };
        let network = What::RemoveNetwork {
            network: "n".to_owned(),
        };
        let forget = What::ForgetLink(api::VirtualLinkId(Uuid::nil()));
        let mut held = Held::default();
        held.learn(&interface, &Done::Yes);
        assert_eq!(held.holds(&network), None);
        held.learn(&interface, &later());
        assert_eq!(held.holds(&interface), None);
        assert_eq!(held.holds(&network), Some(Until::Later));
        held.learn(&interface, &never());
        held.learn(&interface, &later());
        assert_eq!(held.holds(&forget), Some(Until::Never));
        // Another link is another matter.
        held.learn(&forget, &never());
        assert_eq!(held.holds(&forget), None);
        // A router that stays keeps all that it has.
        held.learn(&What::Remove, &never());
        for what in [interface, network, forget] {
            assert_eq!(held.holds(&what), Some(Until::Never));
        }
    }
}
