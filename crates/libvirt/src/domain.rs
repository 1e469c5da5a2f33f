//! Domains: listing them, and pausing one.

use std::collections::HashSet;

use uuid::Uuid;
use virt_sys as sys;

use crate::connection::{Connection, Session};
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi;
use crate::xml::DomainXml;

/// A domain as the host reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The domain's UUID, the same at every host that it moves to.
    pub uuid: Uuid,
    /// Its name, unique on its host.
    pub name: String,
    /// The number of the running instance; `None` while it does not run.
    pub id: Option<u32>,
    /// What it is doing.
    pub state: DomainState,
    /// Whether it outlives its stop.
    pub persistent: bool,
    /// Whether it starts with the host.
    pub autostart: bool,
    /// Its definition; of the running instance while it runs.
    pub definition: DomainXml,
}

/// What a domain is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DomainState {
    /// The hypervisor does not say.
    NoState,
    /// It runs.
    Running,
    /// It runs and waits for a resource.
    Blocked,
    /// It is paused.
    Paused,
    /// The guest is shutting down.
    ShuttingDown,
    /// It does not run.
    ShutOff,
    /// It crashed.
    Crashed,
    /// The guest sleeps (power management).
    Suspended,
}

impl DomainState {
    /// The state that libvirt numbers `raw`; [`DomainState::NoState`] for one not known here.
    pub(crate) fn from_raw(raw: u32) -> Self {
        match raw {
            sys::VIR_DOMAIN_RUNNING => Self::Running,
            sys::VIR_DOMAIN_BLOCKED => Self::Blocked,
            sys::VIR_DOMAIN_PAUSED => Self::Paused,
            sys::VIR_DOMAIN_SHUTDOWN => Self::ShuttingDown,
            sys::VIR_DOMAIN_SHUTOFF => Self::ShutOff,
            sys::VIR_DOMAIN_CRASHED => Self::Crashed,
            sys::VIR_DOMAIN_PMSUSPENDED => Self::Suspended,
            _ => Self::NoState,
        }
    }

    /// Whether there is a running instance, paused or not.
    pub fn is_active(self) -> bool {
        !matches!(self, Self::ShutOff | Self::Crashed | Self::NoState)
    }
}

impl Connection {
    /// All domains of the host, running or not. One that vanishes while it is read is left out,
    /// as is, with a line in the log, one that cannot be read.
    ///
    /// # Errors
    /// As every call.
    pub async fn list_domains(&self) -> Result<Vec<Domain>, Error> {
        self.call("virConnectListAllDomains", |session| {
            let domains = session.run("virConnectListAllDomains", |c| c.list_all_domains(0))?;
            let sets = Sets::read(session)?;
            let mut listed = Vec::with_capacity(domains.len());
            for domain in &domains {
                let uuid = session.run("virDomainGetUUID", |_| domain.uuid())?;
                let read = session.about(uuid, |session| sets.complete(session, uuid, domain));
                listed.extend(session.listed(read)?.flatten());
            }
            Ok(listed)
        })
        .await
    }

    /// One domain, or `None` when the host has none of this UUID.
    ///
    /// # Errors
    /// As every call.
    pub async fn domain(&self, uuid: Uuid) -> Result<Option<Domain>, Error> {
        self.call_about(
            uuid,
            "virDomainLookupByUUID",
            move |session| match unless_gone(look_up(session, uuid))? {
                Some(domain) => unless_gone(read(session, &domain)),
                None => Ok(None),
            },
        )
        .await
    }

    /// Pauses a running domain. Pausing a paused one does nothing, or is a conflict where the
    /// driver says so.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the domain does not run.
    pub async fn suspend(&self, uuid: Uuid) -> Result<(), Error> {
        self.act(
            uuid,
            Capability::Suspend,
            "virDomainSuspend",
            virt::domain::Domain::suspend,
        )
        .await
    }

    /// Lets a paused domain run again.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the domain is not paused.
    pub async fn resume(&self, uuid: Uuid) -> Result<(), Error> {
        self.act(
            uuid,
            Capability::Suspend,
            "virDomainResume",
            virt::domain::Domain::resume,
        )
        .await
    }

    /// Makes one call on one domain, if the driver has it.
    pub(crate) async fn act<F>(
        &self,
        uuid: Uuid,
        needs: Capability,
        call: &'static str,
        f: F,
    ) -> Result<(), Error>
    where
        F: FnOnce(&virt::domain::Domain) -> Result<(), virt::error::Error> + Send + 'static,
    {
        self.needs(needs, call)?;
        self.call_about(uuid, call, move |session| {
            let domain = look_up(session, uuid)?;
            session.run(call, |_| f(&domain))
        })
        .await
    }
}

/// The domain of this UUID.
pub(crate) fn look_up(session: &Session, uuid: Uuid) -> Result<virt::domain::Domain, Error> {
    session.run("virDomainLookupByUUID", |c| c.lookup_domain_by_uuid(uuid))
}

/// `None` for what vanished between listing and reading.
pub(crate) fn unless_gone<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The definition of a domain, typed.
pub(crate) fn definition(
    session: &Session,
    domain: &virt::domain::Domain,
) -> Result<DomainXml, Error> {
    let xml = session.run("virDomainGetXMLDesc", |_| domain.xml_desc(0))?;
    DomainXml::parse(&xml).map_err(|reason| Error::Xml {
        what: format!("domain {}", domain.name().unwrap_or_default()),
        reason: reason.to_string(),
    })
}

/// What a listing knows of all domains from a few calls, instead of three more calls for each: the
/// domains that libvirt's filters let through.
struct Sets {
    persistent: HashSet<Uuid>,
    autostart: HashSet<Uuid>,
    states: [(DomainState, HashSet<Uuid>); 3],
}

impl Sets {
    fn read(session: &Session) -> Result<Self, Error> {
        let set = |filter| {
            let domains =
                session.run("virConnectListAllDomains", |c| c.list_all_domains(filter))?;
            Ok(domains
                .iter()
                .filter_map(|domain| domain.uuid().ok())
                .collect())
        };
        Ok(Self {
            persistent: set(sys::VIR_CONNECT_LIST_DOMAINS_PERSISTENT)?,
            autostart: set(sys::VIR_CONNECT_LIST_DOMAINS_AUTOSTART)?,
            states: [
                (
                    DomainState::Running,
                    set(sys::VIR_CONNECT_LIST_DOMAINS_RUNNING)?,
                ),
                (
                    DomainState::Paused,
                    set(sys::VIR_CONNECT_LIST_DOMAINS_PAUSED)?,
                ),
                (
                    DomainState::ShutOff,
                    set(sys::VIR_CONNECT_LIST_DOMAINS_SHUTOFF)?,
                ),
            ],
        })
    }

    /// The state of a domain, unless it is a rarer one or changed while the sets were read.
    fn state(&self, uuid: Uuid) -> Option<DomainState> {
        let mut states = (self.states.iter())
            .filter(|(_, domains)| domains.contains(&uuid))
            .map(|(state, _)| *state);
        let state = states.next()?;
        states.next().is_none().then_some(state)
    }

    /// The domain, of which only the definition is still to be read; all of it where the sets do
    /// not agree about it.
    fn complete(
        &self,
        session: &Session,
        uuid: Uuid,
        domain: &virt::domain::Domain,
    ) -> Result<Option<Domain>, Error> {
        let id = domain.id();
        match self.state(uuid) {
            Some(state) if state.is_active() == id.is_some() => {
                let name = session.run("virDomainGetName", |_| domain.name())?;
                let persistent = self.persistent.contains(&uuid);
                Ok(Some(Domain {
                    uuid,
                    name,
                    id,
                    state,
                    persistent,
                    autostart: persistent && self.autostart.contains(&uuid),
                    definition: definition(session, domain)?,
                }))
            }
            _ => read_by_uuid(session, uuid),
        }
    }
}

/// The domain of this UUID, or `None` when there is none.
fn read_by_uuid(session: &Session, uuid: Uuid) -> Result<Option<Domain>, Error> {
    match unless_gone(look_up(session, uuid))? {
        Some(domain) => unless_gone(read(session, &domain)),
        None => Ok(None),
    }
}

/// All that is known of a domain.
pub(crate) fn read(session: &Session, domain: &virt::domain::Domain) -> Result<Domain, Error> {
    let uuid = session.run("virDomainGetUUID", |_| domain.uuid())?;
    let name = session.run("virDomainGetName", |_| domain.name())?;
    let state = session.run("virDomainGetState", |_| ffi::domain::state(domain))?;
    let definition = definition(session, domain)?;
    let persistent = session.run("virDomainIsPersistent", |_| domain.is_persistent())?;
    // A transient domain cannot start by itself, and asking is an error with some drivers.
    let autostart = persistent
        && session
            .run("virDomainGetAutostart", |_| domain.autostart())
            .unwrap_or(false);
    Ok(Domain {
        uuid,
        name,
        id: domain.id(),
        state: DomainState::from_raw(state),
        persistent,
        autostart,
        definition,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ONE, host};

    /// Runs a call of `virt` on a domain of the test host.
    async fn change<F>(connection: &Connection, name: &'static str, f: F)
    where
        F: FnOnce(&virt::domain::Domain) -> Result<(), virt::error::Error> + Send + 'static,
    {
        let task = move |session: &mut Session| {
            session.run("changing", |c| f(&c.lookup_domain_by_name(name)?))
        };
        connection.call("changing", task).await.unwrap();
    }

    #[tokio::test]
    async fn a_listing_says_of_every_domain_what_reading_it_says() {
        use std::fmt::Write;
        // A domain for each state that the test driver takes, persistent and not.
        let mut node = "<node>".to_owned();
        for state in [1, 3, 4, 5, 6] {
            for transient in ["", "<test:transient/>"] {
                if state == 5 && !transient.is_empty() {
                    continue;
                }
                let name = format!("d{state}{}", transient.len());
                write!(
                    node,
                    "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>\
                     <name>{name}</name><memory>1024</memory><os><type>hvm</type></os>{transient}\
                     <test:runstate>{state}</test:runstate></domain>"
                )
                .unwrap();
            }
        }
        node.push_str("</node>");
        let (connection, _directory) = host(&node).await;
        change(&connection, "d10", |domain| {
            domain.set_autostart(true).map(drop)
        })
        .await;
        change(&connection, "d30", |domain| {
            domain.set_autostart(true).map(drop)
        })
        .await;

        let listed = connection.list_domains().await.unwrap();
        assert_eq!(listed.len(), 9);
        for domain in &listed {
            let read = connection.domain(domain.uuid).await.unwrap();
            assert_eq!(Some(domain), read.as_ref());
        }
        let of = |name: &str| listed.iter().find(|domain| domain.name == name).unwrap();
        assert!(of("d10").autostart && of("d10").persistent);
        assert!(!of("d117").autostart && !of("d117").persistent);
        let states: HashSet<_> = listed.iter().map(|domain| domain.state).collect();
        assert!(states.len() >= 4, "{states:?}");
    }

    #[tokio::test]
    async fn a_domain_that_changes_or_vanishes_during_a_listing_is_told_as_it_is_then() {
        let (connection, _directory) = host(ONE).await;
        let task = |session: &mut Session| {
            let all = |session: &Session| session.run("list", |c| c.list_all_domains(0));
            let (domain, stale) = (all(session)?.remove(0), all(session)?.remove(0));
            let uuid = session.run("virDomainGetUUID", |_| domain.uuid())?;
            let before = Sets::read(session)?;
            assert_eq!(before.state(uuid), Some(DomainState::Running));
            session.run("virDomainDestroy", |_| domain.destroy())?;
            let mut after = Sets::read(session)?;
            assert_eq!(after.state(uuid), Some(DomainState::ShutOff));
            // Listed while it ran, it has a number that does not fit its state.
            assert!(stale.id().is_some());
            let stopped = after.complete(session, uuid, &stale)?;
            let stopped = stopped.map(|domain| (domain.state, domain.id));
            assert_eq!(stopped, Some((DomainState::ShutOff, None)));
            // In two sets, or in none: it changed between them.
            after.states[0].1.insert(uuid);
            assert_eq!(after.state(uuid), None);
            let stopped = after.complete(session, uuid, &stale)?;
            assert_eq!(
                stopped.map(|domain| domain.state),
                Some(DomainState::ShutOff)
            );
            after.states = [0, 1, 2].map(|_| (DomainState::NoState, HashSet::new()));
            let stopped = after.complete(session, uuid, &stale)?;
            assert_eq!(
                stopped.map(|domain| domain.state),
                Some(DomainState::ShutOff)
            );
            session.run("virDomainUndefine", |_| domain.undefine())?;
            assert_eq!(after.complete(session, uuid, &stale)?, None);
            let gone = before.complete(session, uuid, &stale);
            assert_eq!(session.listed(gone)?.flatten(), None);
            Ok(())
        };
        assert_eq!(connection.call("listing", task).await, Ok(()));
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_left_out_unless_it_is_the_connection_that_failed() {
        let (connection, _directory) = host(ONE).await;
        let listed = async |error: Error| {
            let task = move |session: &mut Session| session.listed::<()>(Err(error));
            connection.call("reading", task).await
        };
        let broken = Error::Xml {
            what: "domain r".to_owned(),
            reason: "it ends too early".to_owned(),
        };
        assert_eq!(listed(broken).await, Ok(None));
        let refused = Error::NotSupported {
            driver: connection.uri().driver(),
            call: "virInterfaceGetXMLDesc",
        };
        assert_eq!(listed(refused).await, Ok(None));
        let lost = Error::Lost {
            reason: "the end".to_owned(),
        };
        assert_eq!(listed(lost.clone()).await, Err(lost));
        let late = Error::Deadline {
            call: "virDomainGetXMLDesc",
            after: std::time::Duration::from_secs(1),
            domain: None,
        };
        assert_eq!(listed(late.clone()).await, Err(late));
    }
}
