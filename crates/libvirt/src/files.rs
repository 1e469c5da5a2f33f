//! Whether a file is on a host, found out by libvirt alone.
//!
//! libvirt has no such question, but a storage pool over a directory lists what is in it. So a pool
//! that is there is asked, or one is made for the moment:
//!
//! ```text
//!   a pool over the directory? ── active ──▶ look; not there: refresh it, look again
//!            │ none           └─ inactive ─▶ nobody knows
//!            ▼
//!   make a transient one ── refused, for the directory is missing ──▶ not there
//!            ▼
//!   look ──▶ destroy it, whatever came of it
//! ```

use std::path::{Component, Path};
use std::time::Duration;

use uuid::Uuid;
use virt::storage_pool::StoragePool;
use virt_sys as sys;

use crate::connection::{Connection, Session};
use crate::domain::unless_gone;
use crate::driver::Capability;
use crate::error::Error;
use crate::storage::{Volume, read_volume};
use crate::xml::PoolXml;

/// How long a call may take that reads a directory and the beginning of every file in it: on a server
/// that does not answer, for ever.
const LOOK: Duration = Duration::from_mins(1);

/// How often a look is tried again when another one's pool is over the directory and goes meanwhile.
const TRIES: usize = 5;

/// How long the thread waits before that.
const PAUSE: Duration = Duration::from_millis(20);

/// Pools whose volumes are all files of a directory, as the host sees it.
const OF_FILES: u32 = sys::VIR_CONNECT_LIST_STORAGE_POOLS_DIR
    | sys::VIR_CONNECT_LIST_STORAGE_POOLS_FS
    | sys::VIR_CONNECT_LIST_STORAGE_POOLS_NETFS;

/// Where files are no regular ones, which pools do not list.
const UNSEEN: [&str; 3] = ["/dev", "/proc", "/sys"];

impl Connection {
    /// Whether a file or directory of this absolute path is on the host; `None` where libvirt cannot
    /// tell: the host has no storage driver (or, as the test driver's, one that is made up), the
    /// directory belongs to a pool that is not active, or the path is not absolute, has `..` in it,
    /// or leads to where devices are. Sockets, pipes and links that lead nowhere count as not there.
    ///
    /// # Cost
    /// A call for each of the host's pools of files, and a few more. Where the file is not known to
    /// a pool over the directory, libvirt opens every file of it to see what it is: about 0.1 s for
    /// a thousand on a local disk, and as long as it takes on a network file system. Where no
    /// pool is over the directory a transient one, `vms-look-…`, is there meanwhile, which other
    /// clients see; it neither changes nor builds anything, and goes with this call, even after the
    /// deadline or when the caller has left. Only a connection that breaks just then leaves it
    /// behind, and the next look uses it.
    ///
    /// # Errors
    /// libvirt's own where it may not read the directory; [`Error::Auth`] for a user who may not
    /// make pools; as every call.
    pub async fn file_exists(&self, path: &str) -> Result<Option<bool>, Error> {
        if !self.uri().driver().supports(Capability::HostFiles) {
            return Ok(None);
        }
        let place = match Place::of(path) {
            Asked::In(place) => place,
            Asked::Root => return Ok(Some(true)),
            Asked::Unseen => return Ok(None),
        };
        let looked = self.call_within(LOOK, CREATE, None, move |session| {
            for _ in 1..TRIES {
                match look(session, &place) {
                    // Another one's pool came or went in between.
                    Err(error) if is_of_passing_pool(&error) => std::thread::sleep(PAUSE),
                    result => return result,
                }
            }
            look(session, &place)
        });
        match looked.await {
            Err(Error::NotSupported { .. }) => Ok(None),
            result => result,
        }
    }

    /// The volume of this path, of whichever active pool, or `None` when none has it. Its pool is
    /// named in it; what that is, `dir` or `netfs` for example, is said by [`Connection::pool`].
    /// Pools know what was there when they were started or refreshed.
    ///
    /// # Errors
    /// As every call.
    pub async fn volume_by_path(&self, path: &str) -> Result<Option<Volume>, Error> {
        let call = "virStorageVolLookupByPath";
        if !self.uri().driver().supports(Capability::StoragePools) {
            return Ok(None);
        }
        let path = path.to_owned();
        let found = self.call(call, move |session| {
            let volume = session.run(call, |c| c.lookup_storage_vol_by_path(&path))?;
            let pool = session.run("virStoragePoolLookupByVolume", |_| {
                volume.lookup_storage_pool()
            })?;
            let pool = session.run("virStoragePoolGetName", |_| pool.name())?;
            read_volume(session, &pool, &volume)
        });
        match unless_gone(found.await) {
            Err(Error::NotSupported { .. }) => Ok(None),
            result => result,
        }
    }
}

const CREATE: &str = "virStoragePoolCreateXML";
const FIND_VOLUME: &str = "virStorageVolLookupByName";

/// A file by its directory and its name there.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    directory: String,
    name: String,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    In(Place),
    Root,
    /// Something that pools do not tell of.
    Unseen,
}

impl Place {
    fn of(path: &str) -> Asked {
        let mut names = Vec::new();
        let mut parts = Path::new(path).components();
        if parts.next() != Some(Component::RootDir) {
            return Asked::Unseen;
        }
        for part in parts {
            match part.as_os_str().to_str() {
                Some(name) if name != ".." && !name.contains(char::is_control) => names.push(name),
                _ => return Asked::Unseen,
            }
        }
        let Some(name) = names.pop() else {
            return Asked::Root;
        };
        let directory = format!("/{}", names.join("/"));
        let is_in = |root: &&str| Path::new(&directory).starts_with(root);
        if UNSEEN.iter().any(is_in) {
            return Asked::Unseen;
        }
        Asked::In(Self {
            directory,
            name: name.to_owned(),
        })
    }
}

/// Looks once.
fn look(session: &Session, place: &Place) -> Result<Option<bool>, Error> {
    match pool_over(session, place)? {
        Over::Active(pool) => return look_anew(session, &pool, place),
        Over::Inactive => return Ok(None),
        Over::Nothing => {}
    }
    let name = format!("vms-look-{}", Uuid::new_v4());
    let mut definition = PoolXml::new("dir", &name);
    definition.path = Some(place.directory.clone());
    let xml = definition.to_xml();
    match session.run(CREATE, |c| c.create_storage_pool_xml(&xml, 0)) {
        Ok(pool) => Transient(Some(pool)).look(session, place),
        Err(error) if is_missing_file(&error) => Ok(Some(false)),
        Err(error) => Err(error),
    }
}

/// What is over a directory.
enum Over {
    Active(StoragePool),
    Inactive,
    Nothing,
}

/// The pool of files that is over the directory. libvirt can look one up by its directory, but not
/// one that is inactive, which is in the way of another one all the same.
fn pool_over(session: &Session, place: &Place) -> Result<Over, Error> {
    let call = "virConnectListAllStoragePools";
    let mut over = Over::Nothing;
    for pool in session.run(call, |c| c.list_all_storage_pools(OF_FILES))? {
        let xml = session.run("virStoragePoolGetXMLDesc", |_| pool.xml_desc(0));
        let Some(xml) = unless_gone(xml)? else {
            continue;
        };
        // One that cannot be read is none that is looked for.
        let path = PoolXml::parse(&xml).ok().and_then(|pool| pool.path);
        if path.is_none_or(|path| Path::new(&path) != Path::new(&place.directory)) {
            continue;
        }
        let active = session.run("virStoragePoolIsActive", |_| pool.is_active());
        let persistent = session.run("virStoragePoolIsPersistent", |_| pool.is_persistent());
        match (unless_gone(active)?, unless_gone(persistent)?) {
            (Some(true), _) => return Ok(Over::Active(pool)),
            (Some(false), Some(true)) => over = Over::Inactive,
            // One that comes or goes just now: it is in the way, or will be gone.
            _ => {}
        }
    }
    Ok(over)
}

/// Whether a pool that was there before has the file. It is refreshed only where that matters: one
/// whose refresh fails is stopped by libvirt.
fn look_anew(session: &Session, pool: &StoragePool, place: &Place) -> Result<Option<bool>, Error> {
    if has(session, pool, place)? {
        return Ok(Some(true));
    }
    match session.run("virStoragePoolRefresh", |_| pool.refresh(0)) {
        Err(error) if is_missing_file(&error) => return Ok(Some(false)),
        result => result?,
    }
    has(session, pool, place).map(Some)
}

/// Whether a pool has the file. What it knew of may be gone since: describing it looks.
fn has(session: &Session, pool: &StoragePool, place: &Place) -> Result<bool, Error> {
    let found = session.run(FIND_VOLUME, |_| {
        pool.lookup_storage_vol_by_name(&place.name)
    });
    let volume = match found {
        Ok(volume) => volume,
        Err(error) if is_missing_volume(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    match session.run("virStorageVolGetXMLDesc", |_| volume.xml_desc(0)) {
        Ok(_) => Ok(true),
        Err(error) if is_missing_volume(&error) || is_missing_file(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A pool that is to go, whatever happens.
struct Transient(Option<StoragePool>);

impl Transient {
    fn look(mut self, session: &Session, place: &Place) -> Result<Option<bool>, Error> {
        let Some(pool) = self.0.take() else {
            return Ok(None);
        };
        let found = has(session, &pool, place);
        let destroyed = session.run("virStoragePoolDestroy", |_| pool.destroy());
        if let Err(error) = destroyed {
            // Where the look has been given up, the session makes no further call.
            if matches!(error, Error::Lost { .. }) {
                self.0 = Some(pool);
            } else {
                tracing::warn!("a pool for a look at a directory is left: {error}");
            }
        }
        found.map(Some)
    }
}

impl Drop for Transient {
    /// On a thread that has been written off, and is still counted.
    fn drop(&mut self) {
        if let Some(pool) = self.0.take()
            && let Err(error) = pool.destroy()
        {
            tracing::warn!("a pool for a look at a directory is left: {error}");
        }
    }
}

fn has_code(error: &Error, code: u32) -> bool {
    error.fault().is_some_and(|fault| fault.code == code)
}

/// Whether a pool is gone, or not active any more, or over the directory all at once.
fn is_of_passing_pool(error: &Error) -> bool {
    has_code(error, sys::VIR_ERR_NO_STORAGE_POOL)
        || has_code(error, sys::VIR_ERR_OPERATION_INVALID)
        || has_code(error, sys::VIR_ERR_OPERATION_FAILED)
            && (error.fault()).is_some_and(|fault| fault.message.contains("conflict"))
}

fn is_missing_volume(error: &Error) -> bool {
    has_code(error, sys::VIR_ERR_NO_STORAGE_VOL)
}

/// libvirt says by the system's words what kind of an error of the system it was.
fn is_missing_file(error: &Error) -> bool {
    let missing = ["No such file or directory", "Not a directory"];
    has_code(error, sys::VIR_ERR_SYSTEM_ERROR)
        && error.fault().is_some_and(|fault| {
            let says = |words: &&str| fault.message.contains(words);
            missing.iter().any(says)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ONE, host};
    use crate::{Options, VolumeXml};

    #[test]
    fn a_path_is_taken_apart() {
        let place = |directory: &str, name: &str| {
            Asked::In(Place {
                directory: directory.to_owned(),
                name: name.to_owned(),
            })
        };
        assert_eq!(Place::of("/images/a.img"), place("/images", "a.img"));
        assert_eq!(Place::of("//images/./b//a/"), place("/images/b", "a"));
        assert_eq!(Place::of("/images"), place("/", "images"));
        assert_eq!(Place::of("/dev"), place("/", "dev"));
        assert_eq!(Place::of("/devices/a"), place("/devices", "a"));
        assert_eq!(Place::of("/"), Asked::Root);
        for path in ["", "a", "a/b", "/a/../b", "/dev/sda", "/dev/vg/a", "/a\nb"] {
            assert_eq!(Place::of(path), Asked::Unseen, "{path:?}");
        }
    }

    /// The test driver's files are made up, but its pools come and go as others' do.
    #[tokio::test]
    async fn a_look_leaves_no_pool_behind_and_uses_the_one_that_is_there() {
        let (connection, _directory) = host(ONE).await;
        let looked = async |name: &str| {
            let place = Place {
                directory: "/images".to_owned(),
                name: name.to_owned(),
            };
            connection
                .call(CREATE, move |session| look(session, &place))
                .await
        };
        assert_eq!(looked("a").await, Ok(Some(false)));
        assert_eq!(connection.list_pools().await, Ok(Vec::new()));
        let mut pool = PoolXml::new("dir", "images");
        pool.path = Some("/images".to_owned());
        connection.define_pool(&pool).await.unwrap();
        assert_eq!(looked("a").await, Ok(None), "it is not active");
        connection.start_pool("images").await.unwrap();
        let volume = VolumeXml::new("a", 1 << 20);
        connection.create_volume("images", &volume).await.unwrap();
        assert_eq!(looked("a").await, Ok(Some(true)));
        assert_eq!(looked("b").await, Ok(Some(false)));
        let pools = connection.list_pools().await.unwrap();
        let names: Vec<_> = pools.iter().map(|pool| pool.name.as_str()).collect();
        assert_eq!(names, ["images"]);
        let found = connection.volume_by_path("/images/a").await.unwrap();
        let found = found.map(|volume| (volume.pool, volume.name));
        assert_eq!(found, Some(("images".to_owned(), "a".to_owned())));
        assert_eq!(connection.volume_by_path("/images/b").await, Ok(None));
        assert_eq!(connection.file_exists("/images/a").await, Ok(None));
    }

    #[tokio::test]
    async fn a_look_that_is_given_up_destroys_its_pool_when_it_comes_back() {
        let (first, _directory) = host(ONE).await;
        let deadline = Duration::from_millis(300);
        let options = Options {
            workers: 2,
            deadline,
            ..Options::default()
        };
        let connection = Connection::open(first.uri(), options).await.unwrap();
        let late = connection.call(CREATE, move |session| {
            let xml = "<pool type='dir'><name>l</name><target><path>/l</path></target></pool>";
            let pool = session.run(CREATE, |c| {
                let pool = c.create_storage_pool_xml(xml, 0);
                std::thread::sleep(deadline * 3);
                pool
            })?;
            let place = Place {
                directory: "/l".to_owned(),
                name: "a".to_owned(),
            };
            Transient(Some(pool)).look(session, &place)
        });
        let error = late.await.unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Deadline, "{error}");
        assert_eq!(connection.list_pools().await.unwrap().len(), 1);
        while connection.hanging() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(connection.list_pools().await, Ok(Vec::new()));
    }
}
