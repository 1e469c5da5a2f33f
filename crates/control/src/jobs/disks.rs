//! What goes with a router: its disks, and what they are made on.
//!
//! A disk that both hosts reach stays where it is. One that only the source has must be a volume of
//! a pool, and the destination must have a pool of the same name: there a volume is made for it, on
//! the same base, which is brought over first if it is not there. The base stays at both.
//!
//! ```text
//! source                       destination
//! images/edge-1.qcow2   ─────▶ images/edge-1.qcow2     only what is in the overlay
//!    │ backing file               │
//! images/router.img     ─────▶ images/router.img       once, and only if it is not there
//! ```

use super::{
    plan::{End, What},
    work::{Stop, Work},
};
use api::{JobPhase, MigrationMode};
use libvirt::{
    Chunk, Connection, DiskXml, DomainXml, Driver, Error, ErrorKind, Pool, Span, Volume, VolumeXml,
};
use std::time::Instant;

/// Pools whose volumes are the same wherever they are reached from.
const SHARED: [&str; 6] = [
    "netfs",
    "gluster",
    "rbd",
    "iscsi",
    "iscsi-direct",
    "sheepdog",
];

/// What becomes of one disk.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// There is nothing in it.
    Empty,
    /// Both hosts reach it.
    Shared,
    /// It is at the destination already, and is only read.
    Present,
    /// It is copied.
    Copied(Box<Copy>),
    /// It cannot be brought over.
    Stuck {
        what: String,
        why: &'static str,
        advice: String,
    },
}

/// A disk to be copied.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub pool: String,
    pub volume: Volume,
    /// Where the file is, and will be.
    pub source: String,
    pub destination: String,
    /// Whether it is only read, so that all of it can be brought over beforehand.
    pub is_base: bool,
    /// What it is made on, the deepest first.
    pub bases: Vec<Base>,
}

/// What a disk is made on.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub pool: String,
    pub volume: Volume,
    /// Where it is at the destination.
    pub destination: String,
    pub is_there: bool,
}

/// What of a router is on the disks of its host.
struct Stored<'a> {
    target: &'a str,
    source: Option<&'a str>,
    is_volume: bool,
    is_network: bool,
    is_directory: bool,
    readonly: bool,
}

/// What becomes of each disk and file system, by its name in the router.
pub(crate) async fn ways(
    from: &Connection,
    to: &Connection,
    definition: &DomainXml,
) -> Result<Vec<(String, Way)>, Error> {
    let disks = definition.disks.iter().map(Stored::of_disk);
    let filesystems = definition.filesystems.iter().map(|of| Stored {
        target: &of.target,
        source: of.source.as_deref(),
        is_volume: false,
        is_network: false,
        is_directory: matches!(of.kind.as_str(), "mount" | "bind" | "template" | "ram"),
        readonly: of.readonly,
    });
    let mut ways = Vec::new();
    for stored in disks.chain(filesystems) {
        let way = stored.way(from, to).await?;
        ways.push((stored.target.to_owned(), way));
    }
    Ok(ways)
}

impl<'a> Stored<'a> {
    fn of_disk(disk: &'a DiskXml) -> Self {
        Self {
            target: &disk.target,
            source: disk.source.as_deref(),
            is_volume: disk.kind == "volume",
            is_network: disk.kind == "network",
            is_directory: false,
            readonly: disk.readonly,
        }
    }

    async fn way(&self, from: &Connection, to: &Connection) -> Result<Way, Error> {
        let Some(source) = self.source else {
            return Ok(Way::Empty);
        };
        if self.is_network {
            return Ok(Way::Shared);
        }
        if from.uri().driver() == Driver::Test {
            // Its disks are made up, as is all that is in them.
            return Ok(Way::Present);
        }
        if self.is_directory || (self.readonly && !self.is_volume) {
            match to.file_exists(source).await? {
                Some(true) => return Ok(Way::Present),
                Some(false) | None if self.is_directory => {
                    return Ok(Way::Stuck {
                        what: format!("The directory {source} ({}) is not there.", self.target),
                        why: "A directory cannot be brought to another host by libvirt.",
                        advice: "Make it there with the same content, or use an image in a pool."
                            .to_owned(),
                    });
                }
                _ => {}
            }
        }
        let found = if self.is_volume {
            match source.split_once('/') {
                Some((pool, volume)) => from.volume(pool, volume).await?,
                None => None,
            }
        } else {
            from.volume_by_path(source).await?
        };
        let Some(volume) = found else {
            return Ok(Way::Stuck {
                what: format!(
                    "The disk {} ({source}) is in no pool of its host.",
                    self.target
                ),
                why: "Only what libvirt keeps in a pool can be brought to another host.",
                advice: "Make a pool of its directory on both hosts, under one name.".to_owned(),
            });
        };
        self.copied(from, to, volume).await
    }

    async fn copied(
        &self,
        from: &Connection,
        to: &Connection,
        volume: Volume,
    ) -> Result<Way, Error> {
        let name = &volume.pool;
        let (here, there) = (from.pool(name).await?, to.pool(name).await?);
        let Some(there) = there.filter(|pool| pool.state.is_active()) else {
            return Ok(Way::Stuck {
                what: format!("The pool {name} of the disk {} is not there.", self.target),
                why: "The disk needs a place at the destination.",
                advice: format!("Define and start a pool {name} there."),
            });
        };
        if here.is_some_and(|here| is_same_storage(&here, &there)) {
            return Ok(Way::Shared);
        }
        to.refresh_pool(name).await?;
        let is_taken = to.volume(name, &volume.name).await?;
        if let Some(taken) = &is_taken {
            if self.readonly && taken.definition.capacity_bytes == volume.definition.capacity_bytes
            {
                return Ok(Way::Present);
            }
            return Ok(Way::Stuck {
                what: format!(
                    "There is a volume {} in the pool {name} already.",
                    volume.name
                ),
                why: "The disk would be written over it.",
                advice: "Delete or rename it there, if nobody needs it.".to_owned(),
            });
        }
        let bases = match bases(from, to, &volume).await? {
            Ok(bases) => bases,
            Err(stuck) => return Ok(stuck),
        };
        let to_come = bases
            .iter()
            .filter(|base| !base.is_there)
            .map(|base| &base.volume);
        let needed: u64 = to_come.chain([&volume]).map(size).sum();
        let free = to.pool(name).await?.map_or(0, |pool| pool.available_bytes);
        if needed > free {
            return Ok(Way::Stuck {
                what: format!(
                    "The pool {name} has {} MiB left, and the disk {} needs {} MiB.",
                    free >> 20,
                    self.target,
                    needed.div_ceil(1 << 20)
                ),
                why: "A disk that runs full while it is copied ends the migration.",
                advice: "Make room in the pool, or choose another host.".to_owned(),
            });
        }
        let source = volume.definition.path.clone().unwrap_or_default();
        Ok(Way::Copied(Box::new(Copy {
            pool: name.clone(),
            destination: path_in(&there, &volume.name),
            source,
            is_base: self.readonly,
            bases,
            volume,
        })))
    }
}

/// What a volume is made on, the deepest first.
async fn bases(
    from: &Connection,
    to: &Connection,
    of: &Volume,
) -> Result<Result<Vec<Base>, Way>, Error> {
    /// Nobody stacks more; a circle would have no end.
    const DEEPEST: usize = 16;
    let mut bases = Vec::new();
    let mut next = of.definition.backing_path.clone();
    while let Some(path) = next.filter(|_| bases.len() < DEEPEST) {
        let stuck = |what: String, advice: String| {
            Ok(Err(Way::Stuck {
                what,
                why: "The disk is made on it: without it there is nothing in the disk.",
                advice,
            }))
        };
        let Some(volume) = from.volume_by_path(&path).await? else {
            if to.file_exists(&path).await? == Some(true) {
                break;
            }
            return stuck(
                format!("The base {path} is in no pool of its host, and not at the destination."),
                "Put it at the same place there, or make a pool of its directory on both hosts."
                    .to_owned(),
            );
        };
        let Some(there) = to.pool(&volume.pool).await? else {
            return stuck(
                format!(
                    "The pool {} of the base {} is not there.",
                    volume.pool, volume.name
                ),
                format!("Define and start a pool {} there.", volume.pool),
            );
        };
        let known = to.volume(&volume.pool, &volume.name).await?;
        if let Some(known) = &known
            && known.definition.capacity_bytes != volume.definition.capacity_bytes
        {
            return stuck(
                format!(
                    "The base {} is another one there: its size differs.",
                    volume.name
                ),
                "Give one of them another name.".to_owned(),
            );
        }
        next = volume.definition.backing_path.clone();
        bases.push(Base {
            pool: volume.pool.clone(),
            destination: path_in(&there, &volume.name),
            is_there: known.is_some(),
            volume,
        });
    }
    bases.reverse();
    Ok(Ok(bases))
}

fn is_same_storage(here: &Pool, there: &Pool) -> bool {
    let (a, b) = (&here.definition, &there.definition);
    SHARED.contains(&a.kind.as_str()) && a.kind == b.kind && a.source == b.source
}

/// Where a volume of a pool of files is.
fn path_in(pool: &Pool, volume: &str) -> String {
    let directory = pool.definition.path.as_deref().unwrap_or_default();
    format!("{}/{volume}", directory.trim_end_matches('/'))
}

/// How many bytes of a volume there are to be copied, at most.
fn size(volume: &Volume) -> u64 {
    let of = &volume.definition;
    let allocation = of.allocation_bytes.or(of.capacity_bytes);
    allocation.unwrap_or_default()
}

/// What a router's definition is at the destination: its disks are where their copies are.
pub(crate) fn relocate(definition: &mut DomainXml, ways: &[(String, Way)]) {
    let moved = |source: &mut Option<String>| {
        for copy in copies(ways) {
            if source.as_deref() == Some(&copy.source) {
                *source = Some(copy.destination.clone());
            }
        }
    };
    for disk in &mut definition.disks {
        moved(&mut disk.source);
    }
    for filesystem in &mut definition.filesystems {
        moved(&mut filesystem.source);
    }
}

/// Prepares the destination for a live migration: bases are brought over, and an empty volume is
/// made for each disk, of which the hypervisor then copies what is in it.
pub(crate) async fn prepare(
    work: &mut Work,
    from: &Connection,
    to: &Connection,
    ways: &[(String, Way)],
) -> Result<(), Stop> {
    for copy in copies(ways) {
        bring_bases(work, from, to, copy).await?;
        if copy.is_base {
            bring(work, from, to, &copy.volume).await?;
            continue;
        }
        let message = format!("A volume is made for {}.", copy.volume.name);
        work.step(JobPhase::Preparing, message).await;
        let of = &copy.volume.definition;
        let mut made = VolumeXml::new(&copy.volume.name, of.capacity_bytes.unwrap_or_default());
        made.format.clone_from(&of.format);
        made.allocation_bytes = Some(0);
        let base = copy.bases.last().map(|base| base.destination.clone());
        made.backing_path = base.or_else(|| of.backing_path.clone());
        made.backing_format.clone_from(&of.backing_format);
        make(work, to, &copy.pool, &made).await?;
    }
    Ok(())
}

/// Brings all of a router's disks over: for a router that does not run.
pub(crate) async fn carry(
    work: &mut Work,
    from: &Connection,
    to: &Connection,
    ways: &[(String, Way)],
) -> Result<u64, Stop> {
    let mut bytes = 0;
    for copy in copies(ways) {
        bytes += bring_bases(work, from, to, copy).await?;
        bytes += bring(work, from, to, &copy.volume).await?;
    }
    Ok(bytes)
}

pub(crate) fn copies(ways: &[(String, Way)]) -> impl Iterator<Item = &Copy> {
    ways.iter().filter_map(|(_, way)| match way {
        Way::Copied(copy) => Some(&**copy),
        _ => None,
    })
}

async fn bring_bases(
    work: &mut Work,
    from: &Connection,
    to: &Connection,
    copy: &Copy,
) -> Result<u64, Stop> {
    let mut bytes = 0;
    for base in &copy.bases {
        // Another disk of the router may be made on the same one.
        let is_there =
            base.is_there || matches!(to.volume(&base.pool, &base.volume.name).await, Ok(Some(_)));
        if !is_there {
            bytes += bring(work, from, to, &base.volume).await?;
        }
    }
    Ok(bytes)
}

async fn make(
    work: &mut Work,
    to: &Connection,
    pool: &str,
    definition: &VolumeXml,
) -> Result<(), Stop> {
    let what = What::DeleteVolume {
        pool: pool.to_owned(),
        volume: definition.name.clone(),
    };
    work.will_undo(End::Destination, what).await?;
    match to.create_volume(pool, definition).await {
        Ok(_) => Ok(()),
        Err(error) => {
            if error.kind() == ErrorKind::Conflict {
                // It is somebody else's.
                work.plan.undo.pop();
                work.save_plan().await?;
            }
            let what = format!("Making the volume {}", definition.name);
            Err(Stop::on(&work.plan.to, &what, error))
        }
    }
}

/// Brings a volume over, byte by byte, holes as holes. Answers how many bytes there were.
async fn bring(
    work: &mut Work,
    from: &Connection,
    to: &Connection,
    volume: &Volume,
) -> Result<u64, Stop> {
    let (pool, name) = (&volume.pool, &volume.name);
    let phase = match work.plan.mode {
        MigrationMode::Live => JobPhase::Preparing,
        MigrationMode::Cold => JobPhase::Transferring,
    };
    work.step(phase, format!("{name} is brought over.")).await;
    let of = &volume.definition;
    let is_raw = of.format.as_deref().is_none_or(|format| format == "raw");
    let physical = of
        .physical_bytes
        .or(of.allocation_bytes)
        .unwrap_or_default();
    let length = if is_raw {
        of.capacity_bytes.unwrap_or(physical)
    } else {
        physical
    };
    // What is in the file says what it is: libvirt looks again when all of it is there.
    let mut made = VolumeXml::new(name, length);
    made.format = Some("raw".to_owned());
    made.allocation_bytes = Some(0);
    make(work, to, pool, &made).await?;
    let (source, destination) = (work.plan.from.clone(), work.plan.to.clone());
    let reading = |error: Error| Stop::on(&source, &format!("Reading {name}"), error);
    let writing = |error: Error| Stop::on(&destination, &format!("Writing {name}"), error);
    let mut download = from
        .download(pool, name, Span::default())
        .await
        .map_err(reading)?;
    let mut upload = to
        .upload(pool, name, Span::default())
        .await
        .map_err(writing)?;
    let (since, mut done) = (Instant::now(), 0);
    while let Some(chunk) = download.next().await.map_err(reading)? {
        work.stop_if_cancelled()?;
        done += match chunk {
            Chunk::Data(data) => {
                let length = data.len() as u64;
                upload.send(data).await.map_err(writing)?;
                length
            }
            Chunk::Hole(length) => {
                upload.hole(length).await.map_err(writing)?;
                length
            }
        };
        work.sent(done, length, since);
    }
    upload.finish().await.map_err(writing)?;
    to.refresh_pool(pool).await.map_err(writing)?;
    Ok(done)
}
