//! Storage that libvirt keeps on a host: pools, and volumes in them.
//!
//! A pool is known by its name, a volume by the names of its pool and its own: that is how a disk
//! speaks of them. What is in a volume goes through `stream`.

use std::time::Duration;

use uuid::Uuid;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt_sys as sys;

use crate::connection::{Connection, Session};
use crate::domain::unless_gone;
use crate::driver::Capability;
use crate::error::Error;
use crate::network::unless_unsupported;
use crate::xml::{PoolXml, VolumeXml};

/// How long a call may take that formats, fills, scans or deletes storage: minutes for a large
/// volume on a slow disk.
pub(crate) const LONG: Duration = Duration::from_mins(10);

/// A storage pool as the host reported it.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use libvirt::{Connection, Options, Uri};
/// let connection = Connection::open(&Uri::parse("test:///default")?, Options::default()).await?;
/// for pool in connection.list_pools().await? {
///     println!("{}: {} of {} bytes are free", pool.name, pool.available_bytes, pool.capacity_bytes);
/// }
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its UUID.
    pub uuid: Uuid,
    /// Its name, unique on its host.
    pub name: String,
    /// Whether it can be used.
    pub state: PoolState,
    /// Whether it outlives its stop.
    pub persistent: bool,
    /// Whether it starts with the host.
    pub autostart: bool,
    /// Its size, bytes; 0 while it is not active.
    pub capacity_bytes: u64,
    /// What its volumes take, bytes; 0 while it is not active.
    pub allocation_bytes: u64,
    /// What is free, bytes; 0 while it is not active.
    pub available_bytes: u64,
    /// Its definition.
    pub definition: PoolXml,
}

/// Whether a storage pool can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoolState {
    /// It is not started.
    Inactive,
    /// It is being built.
    Building,
    /// It can be used.
    Running,
    /// It can be used, and something is wrong with it.
    Degraded,
    /// Its storage cannot be reached.
    Inaccessible,
    /// libvirt says something that is not known here.
    Unknown,
}

/// A storage volume as the host reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The name of its pool.
    pub pool: String,
    /// Its name, unique in its pool.
    pub name: String,
    /// Where the host sees it.
    pub path: String,
    /// The size that a domain sees, bytes.
    pub capacity_bytes: u64,
    /// What it takes in the pool, bytes.
    pub allocation_bytes: u64,
    /// Its definition.
    pub definition: VolumeXml,
}

impl PoolState {
    /// The state that libvirt numbers `raw`.
    fn from_raw(raw: u32) -> Self {
        match raw {
            sys::VIR_STORAGE_POOL_INACTIVE => Self::Inactive,
            sys::VIR_STORAGE_POOL_BUILDING => Self::Building,
            sys::VIR_STORAGE_POOL_RUNNING => Self::Running,
            sys::VIR_STORAGE_POOL_DEGRADED => Self::Degraded,
            sys::VIR_STORAGE_POOL_INACCESSIBLE => Self::Inaccessible,
            _ => Self::Unknown,
        }
    }

    /// Whether its volumes are to be had.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Degraded)
    }
}

impl Connection {
    /// All storage pools of the host, active or not; none where the daemon has no storage driver.
    /// One that cannot be read is logged and left out.
    ///
    /// # Errors
    /// As every call.
    pub async fn list_pools(&self) -> Result<Vec<Pool>, Error> {
        let call = "virConnectListAllStoragePools";
        if !self.uri().driver().supports(Capability::StoragePools) {
            return Ok(Vec::new());
        }
        self.call(call, move |session| {
            let pools = unless_unsupported(session.run(call, |c| c.list_all_storage_pools(0)))?;
            let mut listed = Vec::with_capacity(pools.len());
            for pool in &pools {
                let read = read_pool(session, pool);
                listed.extend(session.listed(read)?);
            }
            Ok(listed)
        })
        .await
    }

    /// One storage pool, or `None` when the host has none of this name.
    ///
    /// # Errors
    /// As every call.
    pub async fn pool(&self, name: &str) -> Result<Option<Pool>, Error> {
        let read = self.on_pool(name, LOOK_UP_POOL, self.deadline(), |session, pool| {
            read_pool(session, pool)
        });
        unless_gone(read.await)
    }

    /// Adds a pool to the host's, or replaces the definition of one that is not active. It is not
    /// started.
    ///
    /// # Errors
    /// A [`crate::ErrorKind::InvalidArgument`] when libvirt cannot read the definition; as every
    /// call.
    pub async fn define_pool(&self, definition: &PoolXml) -> Result<Pool, Error> {
        let call = "virStoragePoolDefineXML";
        self.needs(Capability::StoragePools, call)?;
        let xml = definition.to_xml();
        self.call(call, move |session| {
            let pool = session.run(call, |c| c.define_storage_pool_xml(&xml, 0))?;
            read_pool(session, &pool)
        })
        .await
    }

    /// Makes what a pool's storage is in: a directory, a volume group.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the pool is active.
    pub async fn build_pool(&self, name: &str) -> Result<(), Error> {
        let call = "virStoragePoolBuild";
        self.act_on_pool(name, call, |pool| {
            pool.build(sys::VIR_STORAGE_POOL_BUILD_NEW)
        })
        .await
    }

    /// Makes a pool's volumes available.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the pool is active already.
    pub async fn start_pool(&self, name: &str) -> Result<(), Error> {
        let call = "virStoragePoolCreate";
        self.act_on_pool(name, call, |pool| pool.create(0)).await
    }

    /// Has the host look for volumes that came or went without libvirt.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the pool is not active.
    pub async fn refresh_pool(&self, name: &str) -> Result<(), Error> {
        let call = "virStoragePoolRefresh";
        self.act_on_pool(name, call, |pool| pool.refresh(0)).await
    }

    /// Makes a pool's volumes unavailable; what is in them stays.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the pool is not active.
    pub async fn stop_pool(&self, name: &str) -> Result<(), Error> {
        let call = "virStoragePoolDestroy";
        self.act_on_pool(name, call, StoragePool::destroy).await
    }

    /// Takes a pool that is not active off the host's list; what is in it stays.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the pool is active.
    pub async fn undefine_pool(&self, name: &str) -> Result<(), Error> {
        let call = "virStoragePoolUndefine";
        self.act_on_pool(name, call, StoragePool::undefine).await
    }

    /// **Deletes the storage** of a pool that is not active: its directory, volume group, ….
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the pool is active; libvirt's own
    /// where something is left in it.
    pub async fn delete_pool(&self, name: &str) -> Result<(), Error> {
        let call = "virStoragePoolDelete";
        self.act_on_pool(name, call, |pool| pool.delete(0)).await
    }

    /// Whether a pool starts with its host.
    ///
    /// # Errors
    /// [`Error::NotFound`]; as every call.
    pub async fn set_pool_autostart(&self, name: &str, autostart: bool) -> Result<(), Error> {
        let call = "virStoragePoolSetAutostart";
        self.act_on_pool(name, call, move |pool| pool.set_autostart(autostart))
            .await
    }

    /// All volumes of a pool. One that vanishes while it is read is left out, as is, with a line in
    /// the log, one that cannot be read.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when the pool is not active.
    pub async fn list_volumes(&self, pool: &str) -> Result<Vec<Volume>, Error> {
        let call = "virStoragePoolListAllVolumes";
        let name = pool.to_owned();
        self.on_pool(pool, call, self.deadline(), move |session, pool| {
            let volumes = session.run(call, |_| pool.list_all_volumes(0))?;
            let mut listed = Vec::with_capacity(volumes.len());
            for volume in &volumes {
                let read = read_volume(session, &name, volume);
                listed.extend(session.listed(read)?);
            }
            Ok(listed)
        })
        .await
    }

    /// One volume, or `None` when the pool has none of this name, or the host no such pool.
    ///
    /// # Errors
    /// As every call.
    pub async fn volume(&self, pool: &str, name: &str) -> Result<Option<Volume>, Error> {
        let of = pool.to_owned();
        let read = self.on_volume(pool, name, LOOK_UP_VOLUME, move |session, volume| {
            read_volume(session, &of, volume)
        });
        unless_gone(read.await)
    }

    /// Creates a volume in a pool.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the host has no such pool; libvirt's own when there is such a
    /// volume already, or no room.
    pub async fn create_volume(&self, pool: &str, definition: &VolumeXml) -> Result<Volume, Error> {
        let call = "virStorageVolCreateXML";
        let (name, xml) = (pool.to_owned(), definition.to_xml());
        self.on_pool(pool, call, LONG, move |session, pool| {
            let volume = session.run(call, |_| StorageVol::create_xml(pool, &xml, 0))?;
            read_volume(session, &name, &volume)
        })
        .await
    }

    /// Creates a volume with what is in another one of the same pool: the host copies it, by reference
    /// where its file system can.
    ///
    /// # Errors
    /// As [`create_volume`](Self::create_volume); [`Error::NotFound`] also when there is no such
    /// volume to copy.
    pub async fn create_volume_from(
        &self,
        pool: &str,
        definition: &VolumeXml,
        from: &str,
    ) -> Result<Volume, Error> {
        let call = "virStorageVolCreateXMLFrom";
        self.needs(Capability::VolumeTransfer, call)?;
        let (name, xml, from) = (pool.to_owned(), definition.to_xml(), from.to_owned());
        self.on_pool(pool, call, LONG, move |session, pool| {
            let from = session.run(LOOK_UP_VOLUME, |_| pool.lookup_storage_vol_by_name(&from))?;
            let volume =
                session.run(call, |_| StorageVol::create_xml_from(pool, &xml, &from, 0))?;
            read_volume(session, &name, &volume)
        })
        .await
    }

    /// **Deletes** a volume and what is in it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_volume(&self, pool: &str, name: &str) -> Result<(), Error> {
        let call = "virStorageVolDelete";
        self.on_volume(pool, name, call, move |session, volume| {
            session.run(call, |_| volume.delete(0))
        })
        .await
    }

    /// Makes a volume larger, to so many bytes.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; libvirt's own when it would become smaller.
    pub async fn resize_volume(
        &self,
        pool: &str,
        name: &str,
        capacity_bytes: u64,
    ) -> Result<(), Error> {
        let call = "virStorageVolResize";
        self.needs(Capability::VolumeResize, call)?;
        self.on_volume(pool, name, call, move |session, volume| {
            session.run(call, |_| volume.resize(capacity_bytes, 0))
        })
        .await
    }

    /// Makes one call on one pool.
    async fn act_on_pool<F>(&self, name: &str, call: &'static str, f: F) -> Result<(), Error>
    where
        F: FnOnce(&StoragePool) -> Result<(), virt::error::Error> + Send + 'static,
    {
        self.on_pool(name, call, LONG, move |session, pool| {
            session.run(call, |_| f(pool))
        })
        .await
    }

    async fn on_pool<T, F>(
        &self,
        name: &str,
        call: &'static str,
        deadline: Duration,
        f: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session, &StoragePool) -> Result<T, Error> + Send + 'static,
    {
        self.needs(Capability::StoragePools, call)?;
        let name = name.to_owned();
        self.call_within(deadline, call, None, move |session| {
            let pool = look_up_pool(session, &name)?;
            f(session, &pool)
        })
        .await
    }

    async fn on_volume<T, F>(
        &self,
        pool: &str,
        name: &str,
        call: &'static str,
        f: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session, &StorageVol) -> Result<T, Error> + Send + 'static,
    {
        self.needs(Capability::StoragePools, call)?;
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.call_within(LONG, call, None, move |session| {
            let volume = look_up_volume(session, &pool, &name)?;
            f(session, &volume)
        })
        .await
    }
}

const LOOK_UP_POOL: &str = "virStoragePoolLookupByName";
const LOOK_UP_VOLUME: &str = "virStorageVolLookupByName";

fn look_up_pool(session: &Session, name: &str) -> Result<StoragePool, Error> {
    session.run(LOOK_UP_POOL, |c| c.lookup_storage_pool_by_name(name))
}

/// The volume of this name in the pool of that one.
pub(crate) fn look_up_volume(
    session: &Session,
    pool: &str,
    name: &str,
) -> Result<StorageVol, Error> {
    let pool = look_up_pool(session, pool)?;
    session.run(LOOK_UP_VOLUME, |_| pool.lookup_storage_vol_by_name(name))
}

fn read_pool(session: &Session, pool: &StoragePool) -> Result<Pool, Error> {
    let uuid = session.run("virStoragePoolGetUUID", |_| pool.uuid())?;
    let name = session.run("virStoragePoolGetName", |_| pool.name())?;
    let info = session.run("virStoragePoolGetInfo", |_| pool.info())?;
    let persistent = session.run("virStoragePoolIsPersistent", |_| pool.is_persistent())?;
    // A transient pool cannot start by itself, and asking is an error with some drivers.
    let autostart = persistent
        && session
            .run("virStoragePoolGetAutostart", |_| pool.autostart())
            .unwrap_or(false);
    let xml = session.run("virStoragePoolGetXMLDesc", |_| pool.xml_desc(0))?;
    let definition = PoolXml::parse(&xml).map_err(|reason| Error::Xml {
        what: format!("storage pool {name}"),
        reason: reason.to_string(),
    })?;
    Ok(Pool {
        uuid,
        name,
        state: PoolState::from_raw(info.state),
        persistent,
        autostart,
        capacity_bytes: info.capacity,
        allocation_bytes: info.allocation,
        available_bytes: info.available,
        definition,
    })
}

/// A volume's XML says all there is to say: pools have thousands of them, and each call counts.
pub(crate) fn read_volume(
    session: &Session,
    pool: &str,
    volume: &StorageVol,
) -> Result<Volume, Error> {
    let name = session.run("virStorageVolGetName", |_| volume.name())?;
    let xml = session.run("virStorageVolGetXMLDesc", |_| volume.xml_desc(0))?;
    let definition = VolumeXml::parse(&xml).map_err(|reason| Error::Xml {
        what: format!("storage volume {name} of pool {pool}"),
        reason: reason.to_string(),
    })?;
    Ok(Volume {
        pool: pool.to_owned(),
        name,
        path: definition.path.clone().unwrap_or_default(),
        capacity_bytes: definition.capacity_bytes.unwrap_or(0),
        allocation_bytes: definition.allocation_bytes.unwrap_or(0),
        definition,
    })
}
