//! The life of a domain: defined, started, shut down, undefined; and its devices, plugged and
//! unplugged.
//!
//! ```text
//!            define_domain            start_domain
//!   (nothing) ──────────▶ defined, off ──────────▶ running
//!       ▲                   │      ▲                  │
//!       └───────────────────┘      └──────────────────┘
//!          undefine_domain           shut_down (when the guest agrees), destroy_domain (at once)
//! ```

use std::time::Duration;

use uuid::Uuid;
use virt_sys as sys;

use crate::connection::{Connection, Session};
use crate::domain::{Domain, look_up, read};
use crate::driver::Capability;
use crate::error::{Error, Refusal};
use crate::ffi;
use crate::storage::LONG;
use crate::xml::DomainXml;

/// How long a call may take that waits for the hypervisor: libvirt itself waits 30 s for one that is
/// busy with something else about the domain, and as long for a process that is to end.
const BUSY: Duration = Duration::from_mins(1);

/// What libvirt keeps beside a definition: memory that was saved, and what it knows of snapshots.
const SAVED: u32 = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE;
const SNAPSHOTS: u32 = sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
const CHECKPOINTS: u32 = sys::VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;

impl Connection {
    /// Adds a domain to the host's, or replaces the definition of the one that has its name and
    /// UUID; one that runs keeps what it runs with until it is started again. It is not started.
    ///
    /// # Errors
    /// A [`crate::ErrorKind::InvalidArgument`] when libvirt cannot use the definition; a
    /// [`crate::ErrorKind::Conflict`] when another domain has its name or UUID; as every call.
    pub async fn define_domain(&self, definition: &DomainXml) -> Result<Domain, Error> {
        let call = "virDomainDefineXML";
        let xml = definition.to_xml();
        self.call(call, move |session| {
            let domain = session.run(call, |c| c.define_domain_xml(&xml))?;
            read(session, &domain)
        })
        .await
    }

    /// Takes a domain off the host's list; one that runs goes on until it stops. Its disks stay.
    /// What libvirt keeps beside the definition goes with it, for what has moved to another host
    /// would else be left: memory that was saved, what is known of snapshots and checkpoints, and
    /// the variables of its firmware (NVRAM). The latter stay while the domain runs, which needs
    /// them.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the domain is not persistent, where
    /// the driver says so; as every call.
    pub async fn undefine_domain(&self, uuid: Uuid) -> Result<(), Error> {
        let call = "virDomainUndefineFlags";
        self.call_within(BUSY, call, Some(uuid), move |session| {
            let domain = look_up(session, uuid)?;
            let active = session.run("virDomainIsActive", |_| domain.is_active())?;
            let nvram = if active {
                sys::VIR_DOMAIN_UNDEFINE_KEEP_NVRAM
            } else {
                sys::VIR_DOMAIN_UNDEFINE_NVRAM
            };
            // A driver that does not know a flag refuses the call: QEMU's knows all, as long as it
            // is not old; the test driver's not the third, Xen's only the first, LXC's none.
            for flags in [
                SAVED | SNAPSHOTS | nvram | CHECKPOINTS,
                SAVED | SNAPSHOTS | nvram,
                SAVED | SNAPSHOTS,
                SAVED,
            ] {
                match session.run(call, |_| domain.undefine_flags(flags)) {
                    Err(error) if is_about_flags(&error) => {}
                    Err(Error::NotSupported { .. }) => break,
                    result => return result,
                }
            }
            session.run("virDomainUndefine", |_| domain.undefine())
        })
        .await
    }

    /// Starts a domain that does not run; from the memory that was saved of it, if there is some.
    /// That may take minutes, so the call may too.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when it runs; libvirt's own when the
    /// hypervisor does not take it: a file that is missing, memory that is not there.
    pub async fn start_domain(&self, uuid: Uuid) -> Result<(), Error> {
        let call = "virDomainCreate";
        self.change(uuid, LONG, call, virt::domain::Domain::create)
            .await
    }

    /// Starts a domain that does not run, and pauses it before its guest does anything: what is to
    /// be put right at the host's end can be, before [`resume`](Self::resume) lets it go.
    ///
    /// # Errors
    /// As [`start_domain`](Self::start_domain); [`Error::NotSupported`].
    pub async fn start_domain_paused(&self, uuid: Uuid) -> Result<(), Error> {
        let call = "virDomainCreateWithFlags";
        self.needs(Capability::StartPaused, call)?;
        self.change(uuid, LONG, call, |domain| {
            domain.create_with_flags(sys::VIR_DOMAIN_START_PAUSED)
        })
        .await
    }

    /// Asks the guest to shut down, and returns once it was asked: a guest may take its time, and
    /// one without ACPI and agent never hears of it. An event says when it is off.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the domain does not run.
    pub async fn shut_down(&self, uuid: Uuid) -> Result<(), Error> {
        let call = "virDomainShutdown";
        self.change(uuid, BUSY, call, virt::domain::Domain::shutdown)
            .await
    }

    /// **Switches a domain off** at once, as if its power cord were drawn. One that is not
    /// persistent is gone then.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the domain does not run.
    pub async fn destroy_domain(&self, uuid: Uuid) -> Result<(), Error> {
        let call = "virDomainDestroy";
        self.change(uuid, BUSY, call, virt::domain::Domain::destroy)
            .await
    }

    /// Asks the guest to reboot, and returns once it was asked, as [`shut_down`](Self::shut_down)
    /// does.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the domain does not run.
    pub async fn reboot(&self, uuid: Uuid) -> Result<(), Error> {
        let call = "virDomainReboot";
        self.change(uuid, BUSY, call, |domain| domain.reboot(0))
            .await
    }

    /// **Resets a domain** at once, as by its reset button.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; a [`crate::ErrorKind::Conflict`] when the
    /// domain does not run.
    pub async fn reset(&self, uuid: Uuid) -> Result<(), Error> {
        let call = "virDomainReset";
        self.needs(Capability::Reset, call)?;
        self.change(uuid, BUSY, call, virt::domain::Domain::reset)
            .await
    }

    /// Whether a domain starts with its host.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the domain is not persistent.
    pub async fn set_autostart(&self, uuid: Uuid, autostart: bool) -> Result<(), Error> {
        let call = "virDomainSetAutostart";
        self.change(uuid, BUSY, call, move |domain| {
            domain.set_autostart(autostart)
        })
        .await
    }

    /// The definition by which a domain starts the next time, complete: what
    /// [`define_domain`](Self::define_domain) makes the same domain of. It may have passwords of
    /// the domain in it, where the connection may read them.
    ///
    /// # Errors
    /// [`Error::NotFound`]; as every call.
    pub async fn inactive_definition(&self, uuid: Uuid) -> Result<DomainXml, Error> {
        let call = "virDomainGetXMLDesc";
        let inactive = sys::VIR_DOMAIN_XML_INACTIVE;
        let xml = self.call_about(uuid, call, move |session| {
            let domain = look_up(session, uuid)?;
            let read = |flags| session.run(call, |_| domain.xml_desc(flags));
            match read(inactive | sys::VIR_DOMAIN_XML_SECURE) {
                Err(Error::Auth {
                    refusal: Refusal::Forbidden,
                    ..
                }) => read(inactive),
                result => result,
            }
        });
        DomainXml::parse(&xml.await?).map_err(|reason| Error::Xml {
            what: format!("domain {uuid}"),
            reason: reason.to_string(),
        })
    }

    /// Saves the memory of a domain that runs to its host's disk, and stops it. It goes on from there
    /// when it is started. That takes as long as the memory takes to be written.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; a [`crate::ErrorKind::Conflict`] when the domain
    /// does not run, or is not persistent; libvirt's own when there is no room.
    pub async fn save_domain(&self, uuid: Uuid) -> Result<(), Error> {
        let call = "virDomainManagedSave";
        self.needs(Capability::ManagedSave, call)?;
        self.change(uuid, LONG, call, |domain| domain.managed_save(0))
            .await
    }

    /// What a domain goes on with whose memory is saved; `None` when it is not.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; as every call.
    pub async fn saved_definition(&self, uuid: Uuid) -> Result<Option<DomainXml>, Error> {
        let call = "virDomainManagedSaveGetXMLDesc";
        self.needs(Capability::ManagedSave, call)?;
        let xml = self.call_about(uuid, call, move |session| {
            let domain = look_up(session, uuid)?;
            let has = session.run("virDomainHasManagedSaveImage", |_| {
                domain.has_managed_save(0)
            })?;
            if !has {
                return Ok(None);
            }
            let xml = session.run(call, |_| ffi::domain::saved_definition(&domain))?;
            Ok(Some(xml))
        });
        let parsed = xml.await?.map(|xml| DomainXml::parse(&xml)).transpose();
        parsed.map_err(|reason| Error::Xml {
            what: format!("what domain {uuid} goes on with"),
            reason: reason.to_string(),
        })
    }

    /// Lets a domain whose memory is saved go on with another definition: what the guest sees must be
    /// the same, and what is at the host's end of it may differ.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; libvirt's own when the guest would see a
    /// difference, or when no memory is saved.
    pub async fn define_saved(&self, uuid: Uuid, definition: &DomainXml) -> Result<(), Error> {
        let call = "virDomainManagedSaveDefineXML";
        self.needs(Capability::ManagedSave, call)?;
        let xml = definition.to_xml();
        self.change(uuid, BUSY, call, move |domain| {
            ffi::domain::define_saved(domain, &xml)
        })
        .await
    }

    /// Plugs a device into a domain: the XML of one, as [`crate::InterfaceXml::to_xml`] and
    /// [`crate::DiskXml::to_xml`] write it. `live`: into the running domain; `persistent`: into the
    /// definition by which it starts the next time. Where it is neither, it is what the domain is
    /// now, running or not. With both, either both are changed or none.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; a [`crate::ErrorKind::Conflict`] when `live` is
    /// asked of a domain that does not run; a [`crate::ErrorKind::InvalidArgument`] when libvirt
    /// cannot use the device; libvirt's own when the hypervisor does not take it.
    pub async fn attach_device(
        &self,
        uuid: Uuid,
        device: &str,
        live: bool,
        persistent: bool,
    ) -> Result<(), Error> {
        let call = "virDomainAttachDeviceFlags";
        self.needs(Capability::DeviceHotplug, call)?;
        let (xml, flags) = (device.to_owned(), affects(live, persistent));
        self.change(uuid, BUSY, call, move |domain| {
            domain.attach_device_flags(&xml, flags)
        })
        .await
    }

    /// Unplugs a device, found by what identifies it: the MAC address of an interface, the target of
    /// a disk, or its alias. `live` and `persistent` are as with
    /// [`attach_device`](Self::attach_device).
    ///
    /// A running guest is asked to let go of it, so that a success says that it was asked:
    /// [`crate::Event::DeviceRemoved`] says when it is gone, and a guest that does not listen (it
    /// boots, or has no driver) keeps it. Until then the definition still has it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also when it has no such device; [`Error::NotSupported`]; a
    /// [`crate::ErrorKind::Conflict`] when `live` is asked of a domain that does not run; libvirt's
    /// own when the hypervisor does not give it back.
    pub async fn detach_device(
        &self,
        uuid: Uuid,
        device: &str,
        live: bool,
        persistent: bool,
    ) -> Result<(), Error> {
        let call = "virDomainDetachDeviceFlags";
        self.needs(Capability::DeviceHotplug, call)?;
        let (xml, flags) = (device.to_owned(), affects(live, persistent));
        self.change(uuid, BUSY, call, move |domain| {
            domain.detach_device_flags(&xml, flags)
        })
        .await
    }

    /// Gives a domain so much memory, at most what its definition allows it. `live`: the one that
    /// runs, whose guest gives back, or takes, in its own time; otherwise what it starts with the
    /// next time. More than the most that a domain may have is a matter of its definition.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; a [`crate::ErrorKind::Conflict`] when `live` is
    /// asked of a domain that does not run; a [`crate::ErrorKind::InvalidArgument`] when it is more
    /// than it may have.
    pub async fn set_memory(&self, uuid: Uuid, bytes: u64, live: bool) -> Result<(), Error> {
        let call = "virDomainSetMemoryFlags";
        self.needs(Capability::MemoryChange, call)?;
        self.change(uuid, BUSY, call, move |domain| {
            domain.set_memory_flags(bytes / 1024, affects(live, !live))
        })
        .await
    }

    /// Gives a domain so many virtual processors, at most as many as its definition allows it.
    /// `live` is as with [`set_memory`](Self::set_memory).
    ///
    /// # Errors
    /// As [`set_memory`](Self::set_memory); libvirt's own when the guest, or its machine, does not
    /// give one back.
    pub async fn set_vcpus(&self, uuid: Uuid, vcpus: u32, live: bool) -> Result<(), Error> {
        let call = "virDomainSetVcpusFlags";
        self.needs(Capability::VcpuChange, call)?;
        self.change(uuid, BUSY, call, move |domain| {
            domain.set_vcpus_flags(vcpus, affects(live, !live))
        })
        .await
    }

    /// Makes one call on one domain, which may take so long.
    async fn change<F>(
        &self,
        uuid: Uuid,
        deadline: Duration,
        call: &'static str,
        f: F,
    ) -> Result<(), Error>
    where
        F: FnOnce(&virt::domain::Domain) -> Result<(), virt::error::Error> + Send + 'static,
    {
        let work = move |session: &mut Session| {
            let domain = look_up(session, uuid)?;
            session.run(call, |_| f(&domain))
        };
        self.call_within(deadline, call, Some(uuid), work).await
    }
}

/// `virDomainModificationImpact`
fn affects(live: bool, persistent: bool) -> u32 {
    let live = if live { sys::VIR_DOMAIN_AFFECT_LIVE } else { 0 };
    let kept = if persistent {
        sys::VIR_DOMAIN_AFFECT_CONFIG
    } else {
        0
    };
    live | kept
}

/// Whether it is a flag that the driver does not know.
pub(crate) fn is_about_flags(error: &Error) -> bool {
    error.fault().is_some_and(|fault| {
        fault.code == sys::VIR_ERR_INVALID_ARG && fault.message.contains("unsupported flags")
    })
}
