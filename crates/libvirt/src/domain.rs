//! Domains: listing them, and acting on one.

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
            let mut listed = Vec::with_capacity(domains.len());
            for domain in &domains {
                let uuid = session.run("virDomainGetUUID", |_| domain.uuid())?;
                let read = session.about(uuid, |session| read(session, domain));
                listed.extend(session.listed(read)?);
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
    async fn act<F>(
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

fn read(session: &Session, domain: &virt::domain::Domain) -> Result<Domain, Error> {
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
    use crate::{Options, Uri};

    #[tokio::test]
    async fn what_cannot_be_read_is_left_out_unless_it_is_the_connection_that_failed() {
        let uri = Uri::parse("test:///default").unwrap();
        let connection = Connection::open(&uri, Options::default()).await.unwrap();
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
            driver: uri.driver(),
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
