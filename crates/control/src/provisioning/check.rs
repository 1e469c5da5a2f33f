//! Whether a router can be made, and where: everything that decides it, looked at beforehand.
//!
//! As with migrations (`jobs::check`): what is known comes from the topology, what only hosts know is
//! asked of all of them at once, and one that hangs holds no other verdict up.

use super::{
    changes, create::Wanted, define, define::Target, nics::NewNic, pools::Taken,
    routers::LONGEST_LOOP, seed,
};
use crate::{
    discovery::Snapshot,
    images::{POOL, Stored, suitable},
    jobs::{
        check::{Findings, PATIENCE, room},
        plan::Plan,
        task::{Act, Task},
    },
    service::{State, errors, translate},
};
use api::{
    CreateRouterRequest, CreationPlace, Error, FindingLevel, ImageKind, MigrationCheck as Check,
    NewInterface,
};
use futures_util::future::join_all;
use libvirt::Connection;
use model::{Driver, HostId};
use std::sync::Arc;

/// The longest name of a router, or of anything that a request names.
const LONGEST: usize = 64;

/// A place, with what is needed to make the router there.
pub(crate) struct Place {
    pub told: CreationPlace,
    pub driver: Option<Driver>,
    pub nics: Vec<NewNic>,
}

impl Place {
    /// The driver, if it can be made there.
    pub fn possible(&self) -> Option<Driver> {
        self.driver.filter(|_| self.told.possible)
    }
}

/// Checks what is wrong wherever it is made. Answers how large it is to be.
pub(crate) fn request(request: &CreateRouterRequest, image: &Stored) -> Result<Wanted, Error> {
    name("name", &request.name)?;
    for (element, text) in [("virtualNetwork", &request.virtual_network)] {
        if let Some(text) = text {
            name(element, text)?;
        }
    }
    if request.tags.len() > 32 {
        return Err(Error::invalid("tags", "32 at most were expected"));
    }
    for tag in &request.tags {
        name("tags", tag)?;
    }
    changes::check_size(request.vcpus, request.memory_bytes)?;
    if request.interfaces.len() > 24 {
        return Err(Error::invalid("interfaces", "24 at most were expected"));
    }
    for interface in &request.interfaces {
        changes::check_interface(interface, "interfaces")?;
    }
    if request
        .ready_within_seconds
        .is_some_and(|seconds| seconds > 3600)
    {
        let message = "0 to 3600 seconds were expected, or nothing at all";
        return Err(Error::invalid("readyWithinSeconds", message));
    }
    let is_kernel = image.kind == ImageKind::Kernel;
    if let Some(arguments) = &request.kernel_arguments {
        if !is_kernel {
            let message = format!(
                "{} is no kernel: its boot loader says what it gets",
                image.title()
            );
            return Err(Error::invalid("kernelArguments", message));
        }
        if arguments.len() > 1024 || arguments.chars().any(char::is_control) {
            let message = "1024 bytes at most were expected, in one line";
            return Err(Error::invalid("kernelArguments", message));
        }
    }
    if let Some(init) = &request.cloud_init {
        if image.description.cloud_init != Some(true) {
            let message = format!(
                "{} is not said to read a cloud-init seed: leave it out, or describe the image anew",
                image.title()
            );
            return Err(Error::invalid("cloudInit", message));
        }
        if init
            .user_data
            .as_ref()
            .is_some_and(|data| data.len() > seed::MOST)
        {
            let message = format!("{} bytes at most were expected", seed::MOST);
            return Err(Error::invalid("cloudInit.userData", message));
        }
        let keys: usize = init.ssh_keys.iter().map(String::len).sum();
        if keys > seed::MOST_KEYS {
            let message = format!("{} bytes at most were expected", seed::MOST_KEYS);
            return Err(Error::invalid("cloudInit.sshKeys", message));
        }
        if let Some(host_name) = &init.host_name {
            name("cloudInit.hostName", host_name)?;
        }
    }
    let least = image
        .files
        .iter()
        .filter_map(|file| file.virtual_size_bytes)
        .max();
    if let Some(bytes) = request.disk_bytes {
        if bytes < least.unwrap_or(1 << 20) || bytes % 512 != 0 {
            let message = format!(
                "whole sectors of 512 bytes were expected, {} bytes at least",
                least.unwrap_or(1 << 20)
            );
            return Err(Error::invalid("diskBytes", message));
        }
        if image.kind == ImageKind::RootFileSystem && Some(bytes) != least {
            let message = "the file system of a container keeps its size: leave it out";
            return Err(Error::invalid("diskBytes", message));
        }
    }
    let description = &image.description;
    Ok(Wanted {
        vcpus: request.vcpus.or(description.vcpus).unwrap_or(1),
        memory_bytes: request
            .memory_bytes
            .or(description.memory_bytes)
            .unwrap_or(128 << 20),
        disk_bytes: request.disk_bytes.or(least),
    })
}

/// Checks a name.
pub(crate) fn name(element: &str, name: &str) -> Result<(), Error> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && name.len() <= LONGEST && name.chars().all(is_word) {
        return Ok(());
    }
    let shown: String = name.chars().take(40).collect();
    let dots = if shown.len() < name.len() { "…" } else { "" };
    let message = format!(
        "{shown:?}{dots} cannot be used: 1 to {LONGEST} letters, digits, dots, underscores and \
         hyphens were expected, the first a letter or a digit"
    );
    Err(Error::invalid(element, message))
}

/// Refuses a name that another router has, or is about to get.
pub(crate) fn is_free(state: &State, snapshot: &Snapshot, name: &str) -> Result<(), Error> {
    let mut routers = snapshot.topology.routers.values();
    if let Some(router) = routers.find(|router| router.domain.name == name) {
        let message = format!(
            "{} on {} has the name {name}: choose another one",
            router.domain.id, router.host
        );
        return Err(errors::conflict(message));
    }
    let mut is_about_to_be = false;
    state.jobs.unfinished(|plan| {
        is_about_to_be |= matches!(
            plan,
            Plan::Task(Task { act: Act::CreateRouter(creation), .. }) if creation.name == name
        );
    });
    if is_about_to_be {
        let message = format!("a router of the name {name} is being made: choose another name");
        return Err(errors::conflict(message));
    }
    Ok(())
}

/// All places, or the one that is named, the best first.
pub(crate) async fn places(
    state: &State,
    request: &CreateRouterRequest,
    image: &Stored,
    wanted: &Wanted,
    taken: &Taken,
) -> Result<Vec<Place>, Error> {
    let view = state.view();
    let topology = view.topology();
    let hosts: Vec<_> = match &request.host {
        Some(id) => {
            let host = translate::host_id(id);
            if !topology.hosts.contains_key(&host) {
                return Err(errors::no_host(id, topology));
            }
            vec![host]
        }
        None => topology.hosts.keys().cloned().collect(),
    };
    let snapshot = &view.snapshot;
    let looks: Vec<_> = (hosts.iter())
        .map(|host| Look {
            state,
            snapshot,
            request,
            image,
            wanted,
            host,
        })
        .collect();
    let looked = looks.iter().map(|look| look.place(taken));
    let mut places = join_all(looked).await;
    places.sort_by(|a, b| {
        let key = |place: &Place| (place.told.possible, place.told.score.unwrap_or(-1.0));
        key(a)
            .partial_cmp(&key(b))
            .unwrap_or(std::cmp::Ordering::Equal)
            .reverse()
            .then_with(|| a.told.host.cmp(&b.told.host))
    });
    Ok(places)
}

/// One host, looked at.
struct Look<'a> {
    state: &'a State,
    snapshot: &'a Arc<Snapshot>,
    request: &'a CreateRouterRequest,
    image: &'a Stored,
    wanted: &'a Wanted,
    host: &'a HostId,
}

/// What a host says.
#[derive(Default)]
struct Asked {
    nics: Vec<NewNic>,
    needs_pool: bool,
    networks: Vec<String>,
    bridges: Vec<String>,
}

impl Look<'_> {
    async fn place(&self, taken: &Taken) -> Place {
        let mut found = Findings::default();
        let driver = self.driver(&mut found);
        self.maintenance(&mut found);
        let has_image = self.has_image().await;
        let topology = &self.snapshot.topology;
        room(
            self.state,
            topology,
            self.host,
            None,
            (self.wanted.memory_bytes, self.wanted.vcpus),
            &mut found,
        );
        let mut asked = Asked::default();
        if let Some(driver) = driver {
            let asking = self.ask(driver, taken, has_image, &mut asked, &mut found);
            if tokio::time::timeout(PATIENCE, asking).await.is_err() {
                self.no_answer(&mut found);
            }
        }
        if !define::is_told(self.image, &asked.nics) {
            found.warning(
                Check::Network,
                format!(
                    "{} does not read which addresses it gets.",
                    self.image.title()
                ),
                "It is neither a kernel nor said to read a cloud-init seed.",
                Some("Set the addresses up in the router yourself.".to_owned()),
            );
        }
        let told = self.judge(driver, has_image, &asked, found);
        Place {
            told,
            driver,
            nics: asked.nics,
        }
    }

    fn no_answer(&self, found: &mut Findings) {
        found.obstacle(
            Check::Contact,
            format!(
                "{} did not answer all questions within {} s.",
                self.host,
                PATIENCE.as_secs()
            ),
            "What it would say is not known.",
            "Look at the host, then try again.",
        );
    }

    /// The best driver of the host that the image suits, and that is in contact.
    fn driver(&self, found: &mut Findings) -> Option<Driver> {
        let host = self.snapshot.topology.hosts.get(self.host)?;
        let suits = suitable(self.image);
        let asked = self.request.driver.map(translate::model_driver);
        let mut fitting: Vec<_> = (host.endpoints.iter())
            .filter(|endpoint| suits.contains(&endpoint.driver))
            .filter(|endpoint| asked.is_none_or(|asked| endpoint.driver == asked))
            .collect();
        fitting.sort_by_key(|endpoint| suits.iter().position(|driver| *driver == endpoint.driver));
        if fitting.is_empty() {
            let has: Vec<_> = host.endpoints.iter().map(|of| of.driver.as_str()).collect();
            let wanted: Vec<_> = match asked {
                Some(asked) if suits.contains(&asked) => vec![asked.as_str()],
                Some(_) => Vec::new(),
                None => suits.iter().map(|driver| driver.as_str()).collect(),
            };
            let what = if wanted.is_empty() {
                format!(
                    "{} does not suit the driver that is asked for.",
                    self.image.title()
                )
            } else {
                format!(
                    "{} has {}, and {} needs {}.",
                    self.host,
                    has.join(" and "),
                    self.image.title(),
                    wanted.join(" or ")
                )
            };
            found.obstacle(
                Check::Driver,
                what,
                "A router is run by one hypervisor.",
                "Choose another host or another image.",
            );
            return None;
        }
        let current = fitting
            .iter()
            .find(|endpoint| endpoint.contact.is_current());
        let Some(endpoint) = current else {
            let why = host
                .message
                .as_deref()
                .map(|why| format!(": {}", why.trim_end_matches('.')));
            found.obstacle(
                Check::Contact,
                format!(
                    "{} is not in contact{}.",
                    self.host,
                    why.unwrap_or_default()
                ),
                "Nothing can be made there now.",
                "VMS keeps trying: try again once ListHosts shows it online.",
            );
            return None;
        };
        found.fine(
            Check::Driver,
            format!("{} runs it with {}.", self.host, endpoint.driver.as_str()),
        );
        Some(endpoint.driver)
    }

    fn maintenance(&self, found: &mut Findings) {
        let host = self.snapshot.topology.hosts.get(self.host);
        if let Some(maintenance) = host.and_then(|host| host.maintenance.as_ref()) {
            let reason = maintenance.reason.as_ref();
            let reason = reason.map(|reason| format!(": {}", reason.trim_end_matches('.')));
            found.obstacle(
                Check::Maintenance,
                format!(
                    "{} is in maintenance{}.",
                    self.host,
                    reason.unwrap_or_default()
                ),
                "Nothing new lands on a host in maintenance.",
                "Choose another host, or take it back into use (SetHostMaintenance).",
            );
        }
    }

    async fn has_image(&self) -> bool {
        let copies = self.state.images.copies().await.unwrap_or_default();
        copies
            .iter()
            .any(|copy| copy.image == self.image.id.to_string() && copy.host == self.host.as_str())
    }

    async fn ask(
        &self,
        driver: Driver,
        taken: &Taken,
        has_image: bool,
        asked: &mut Asked,
        found: &mut Findings,
    ) {
        let Ok(connection) = self.state.fleet.connection(self.host, driver).await else {
            found.obstacle(
                Check::Contact,
                format!("{} cannot be asked now.", self.host),
                "What it would say is not known.",
                "VMS keeps trying: try again once ListHosts shows it online.",
            );
            return;
        };
        let looked = self
            .look_at(&connection, driver, has_image, asked, found)
            .await;
        if let Err(error) = looked {
            found.obstacle(
                Check::Contact,
                format!("{} was asked what it has, and failed: {error}", self.host),
                "What it would say is not known.",
                "Mend what it complains of, then try again.",
            );
            return;
        }
        let mut taken = taken.clone();
        for interface in &self.request.interfaces {
            self.nic(&connection, interface, &mut taken, asked, found)
                .await;
        }
    }

    async fn nic(
        &self,
        connection: &Connection,
        interface: &NewInterface,
        taken: &mut Taken,
        asked: &mut Asked,
        found: &mut Findings,
    ) {
        match changes::nic(connection, self.host, interface, "interfaces", taken).await {
            Ok(nic) => asked.nics.push(nic),
            Err(error) => found.obstacle(
                Check::Network,
                super::sentence(&what(&error)),
                "Each interface is attached to something of its host.",
                "Choose another host, or attach it to something else.",
            ),
        }
    }

    async fn look_at(
        &self,
        connection: &Connection,
        driver: Driver,
        has_image: bool,
        asked: &mut Asked,
        found: &mut Findings,
    ) -> Result<(), libvirt::Error> {
        let capabilities = connection.capabilities().await?;
        match self.target(&capabilities, driver) {
            Ok(target) => {
                let kind = target.kind.name();
                found.fine(
                    Check::Machine,
                    format!("{} can run it ({kind}).", self.host),
                );
            }
            Err(why) => found.obstacle(
                Check::Machine,
                super::sentence(&why),
                "The router would not start there.",
                "Choose another host or another image.",
            ),
        }
        let networks = connection.list_networks().await?;
        asked.networks = networks.into_iter().map(|network| network.name).collect();
        asked.networks.retain(|name| !name.starts_with("vms-"));
        let interfaces = match connection.list_interfaces().await {
            Err(error) if error.kind() == libvirt::ErrorKind::NotSupported => Vec::new(),
            listed => listed?,
        };
        let bridges = interfaces
            .into_iter()
            .filter(|of| of.kind == libvirt::HostInterfaceKind::Bridge);
        asked.bridges = bridges.map(|bridge| bridge.name).collect();
        let pool = connection.pool(POOL).await?;
        let Some(pool) = pool else {
            asked.needs_pool = true;
            if self.request.create_pool == Some(true) {
                found.fine(
                    Check::Disk,
                    format!("The storage pool {POOL} is made on {}.", self.host),
                );
            } else {
                found.obstacle(
                    Check::Disk,
                    format!("{} has no storage pool {POOL}.", self.host),
                    "VMS keeps images and disks of routers there.",
                    "Let VMS make it (createPool), or make a pool of that name yourself.",
                );
            }
            return Ok(());
        };
        if !pool.state.is_active() {
            found.obstacle(
                Check::Disk,
                format!("The storage pool {POOL} on {} is not started.", self.host),
                "VMS keeps images and disks of routers there.",
                format!("Start it: virsh pool-start {POOL}"),
            );
            return Ok(());
        }
        let directory = pool.definition.path.as_deref().unwrap_or_default();
        let longest = LONGEST_LOOP - "/router-0123456789abcdef.raw".len();
        if driver == Driver::Lxc && directory.len() > longest {
            found.obstacle(
                Check::Disk,
                format!("The path of the storage pool {POOL} on {} is too long: {directory}.", self.host),
                format!("libvirt mounts files of containers whose path has {LONGEST_LOOP} bytes at most."),
                format!("Make the pool in a directory whose path has {longest} bytes at most."),
            );
        }
        let mut needed = if has_image {
            0
        } else {
            self.image.files.iter().map(|file| file.size_bytes).sum()
        };
        if self.image.kind == ImageKind::RootFileSystem {
            needed += self.wanted.disk_bytes.unwrap_or_default();
        }
        let (needed_mib, free_mib) = (needed >> 20, pool.available_bytes >> 20);
        if needed > pool.available_bytes {
            found.obstacle(
                Check::Disk,
                format!("The storage pool {POOL} on {} has {free_mib} MiB free, and {needed_mib} MiB are needed.", self.host),
                "The image and the router's disk go there.",
                "Make room there: evict images that are not used, or choose another host.",
            );
        } else {
            found.fine(
                Check::Disk,
                format!("The storage pool {POOL} has {free_mib} MiB free."),
            );
        }
        Ok(())
    }

    fn target(
        &self,
        capabilities: &libvirt::CapabilitiesXml,
        driver: Driver,
    ) -> Result<Target, String> {
        if driver == Driver::Test {
            // It says i686 of all its guests: what its host is described as counts.
            let host = self.snapshot.topology.hosts.get(self.host);
            let model = host.and_then(|host| host.node.cpu_model.as_deref());
            let arch = self.image.description.architecture.as_str();
            if model.is_some_and(|model| model != arch) {
                let model = model.unwrap_or_default();
                return Err(format!(
                    "the image is for {arch}, and {} is {model}",
                    self.host
                ));
            }
        }
        define::target(capabilities, driver, self.image, self.state.use_kvm)
    }

    fn judge(
        &self,
        driver: Option<Driver>,
        has_image: bool,
        asked: &Asked,
        found: Findings,
    ) -> CreationPlace {
        let mut findings = found.into_sorted();
        let worst = findings.iter().map(|finding| finding.level).max();
        let possible = worst != Some(FindingLevel::Obstacle);
        let mut told = findings
            .iter()
            .filter(|finding| Some(finding.level) == worst);
        let first = told
            .next()
            .map(|finding| finding.what.clone())
            .unwrap_or_default();
        let summary = match (possible, told.count()) {
            (true, _) => "It can be made there.".to_owned(),
            (false, 0) => first,
            (false, more) => format!("{first} And {more} more."),
        };
        findings.shrink_to_fit();
        let host = self.snapshot.topology.hosts.get(self.host);
        CreationPlace {
            host: translate::id(self.host),
            host_name: host.map_or_else(|| self.host.to_string(), |host| host.name.clone()),
            driver: driver.map(translate::driver),
            possible,
            summary,
            needs_pool: asked.needs_pool,
            has_image,
            score: possible.then(|| self.score()).flatten(),
            findings,
            networks: asked.networks.clone(),
            bridges: asked.bridges.clone(),
        }
    }

    /// What would be free of processors and memory, whichever is less.
    fn score(&self) -> Option<f64> {
        let topology = &self.snapshot.topology;
        let host = topology.hosts.get(self.host)?;
        let processors = crate::jobs::check::free_share(self.state, topology, self.host);
        let all = host.node.memory_bytes.filter(|&bytes| bytes > 0)?;
        let routers = topology
            .routers
            .values()
            .filter(|router| router.host == *self.host);
        let active = routers.filter(|router| router.domain.state.is_active());
        let mut used: u64 = active.map(|router| router.domain.memory_bytes).sum();
        used += crate::jobs::check::claimed(self.state, topology, self.host).0;
        let left = all
            .saturating_sub(used)
            .saturating_sub(self.wanted.memory_bytes);
        let memory = left as f64 / all as f64;
        Some(processors.map_or(memory, |processors| processors.min(memory)))
    }
}

/// What is wrong, without the name of an element of a request.
fn what(error: &Error) -> String {
    match error {
        Error::InvalidArgument(invalid) => invalid.message.clone(),
        other => other.to_string(),
    }
}
