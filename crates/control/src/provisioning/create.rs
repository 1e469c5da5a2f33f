//! Making a router.
//!
//! ```text
//!  image on the host ─▶ disk ─▶ seed ─▶ defined ─▶ started ─▶ COMMITTED ─▶ ready
//!  (stays, as a cache)  └───────── each taken back, should the next one fail ─┘
//! ```

use super::{
    changes::has_mac,
    check::{self, Place},
    define::{self, Files},
    links,
    nics::NewNic,
    pools::Taken,
    routers::volume_prefix,
    seed,
};
use crate::{
    images,
    jobs::{
        self,
        plan::{Chore, What},
        task::{Act, Task},
        work::{Stop, Work},
    },
    service::{State, errors, translate},
};
use api::{
    CreateRouterRequest, Error, ImageFileRole, ImageKind, JobId, JobPhase, MigrationCheck,
    NotSupported,
};
use bytes::Bytes;
use libvirt::{Capability, Connection, ConsoleData, ConsoleReader, ErrorKind, Span, VolumeXml};
use model::{Driver, HostId, Mac, RouterId};
use serde::{Deserialize, Serialize};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How long a router is waited for if nobody says, in seconds.
const READY: u32 = 120;

/// How often an agent is asked whether it is there.
const PAUSE: Duration = Duration::from_millis(500);

/// How large a router is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub vcpus: u32,
    pub memory_bytes: u64,
    pub disk_bytes: Option<u64>,
}

/// A router that is being made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Creation {
    pub router: RouterId,
    pub name: String,
    pub host: HostId,
    pub driver: Driver,
    pub vcpus: u32,
    pub memory_bytes: u64,
    pub disk_bytes: Option<u64>,
    pub nics: Vec<NewNic>,
    pub request: CreateRouterRequest,
}

/// A router that is asked for: all that can be refused is refused here.
pub(crate) async fn ask(
    state: &Arc<State>,
    request: CreateRouterRequest,
    caller: &str,
) -> Result<JobId, Error> {
    let image = state.images.get(request.image).await?;
    let wanted = check::request(&request, &image)?;
    if let Some(id) = &request.host {
        let view = state.view();
        let host = view.topology().hosts.get(&translate::host_id(id));
        let host = host.ok_or_else(|| errors::no_host(id, view.topology()))?;
        super::changes::check_host(host, request.vcpus, request.memory_bytes)?;
    }
    let taken = free(state, &request).await?;
    // All hosts are looked at before anything is picked: one that hangs holds nobody else up.
    let places = check::places(state, &request, &image, &wanted, &taken).await?;
    // What is picked is picked by one at a time, until it is in a plan.
    let _turn = state.provisioning.lock().await;
    let taken = free(state, &request).await?;
    let (mut found, mut not_there) = (None, None);
    for looked in places {
        let now = if looked.possible().is_some() {
            // Somebody else may have taken what was free there.
            let there = CreateRouterRequest {
                host: Some(looked.told.host.clone()),
                ..request.clone()
            };
            let mut now = check::places(state, &there, &image, &wanted, &taken).await?;
            now.pop().unwrap_or(looked)
        } else {
            looked
        };
        if let Some(driver) = now.possible() {
            found = Some((now, driver));
            break;
        }
        not_there.get_or_insert(now);
    }
    let Some((place, driver)) = found else {
        let no_host = || errors::conflict("no host is registered".to_owned());
        return Err(not_there.map_or_else(no_host, |place| refused(&request, &place)));
    };
    let host = translate::host_id(&place.told.host);
    let creation = Creation {
        router: RouterId(Uuid::new_v4()),
        name: request.name.clone(),
        host: host.clone(),
        driver,
        vcpus: wanted.vcpus,
        memory_bytes: wanted.memory_bytes,
        disk_bytes: wanted.disk_bytes,
        nics: place.nics,
        request,
    };
    let (name, router) = (creation.name.clone(), creation.router);
    let (image, request_id) = (creation.request.image, creation.request.request_id.clone());
    let act = Act::CreateRouter(Box::new(creation));
    let mut task = Task::new(act, &name, vec![host.clone()], driver);
    task.routers = vec![router];
    task.request_id = request_id;
    let message = format!("{name} waits to be made on {host}.");
    jobs::task::start(state, task, caller, message, |job| {
        job.destination = Some(translate::id(&host));
        job.image = Some(image);
    })
    .await
}

/// What is taken, if the name and the MAC addresses that are asked for are not.
async fn free(state: &State, request: &CreateRouterRequest) -> Result<Taken, Error> {
    check::is_free(state, &state.view().snapshot, &request.name)?;
    let taken = links::taken(state).await?;
    let mut macs = taken.macs.clone();
    let mut asked = request.interfaces.iter().filter_map(|of| of.mac);
    match asked.find(|mac| !macs.insert(Mac(mac.0))) {
        Some(mac) => Err(has_mac(Mac(mac.0))),
        None => Ok(taken),
    }
}

/// Why it cannot be made on the best place that there is.
fn refused(request: &CreateRouterRequest, place: &Place) -> Error {
    let obstacles = || {
        let findings = place.told.findings.iter();
        findings.filter(|finding| finding.level == api::FindingLevel::Obstacle)
    };
    let said: Vec<_> = obstacles()
        .map(|obstacle| {
            let advice = obstacle.advice.as_deref().unwrap_or_default();
            format!("{} {advice}", obstacle.what)
        })
        .collect();
    let (name, host, said) = (&request.name, &place.told.host, said.join(" "));
    let message = if request.host.is_some() {
        format!("{name} cannot be made on {host}: {said}")
    } else {
        format!("{name} can be made on no host. {host}, for one: {said}")
    };
    let is = |check| obstacles().any(|obstacle| obstacle.check == check);
    if is(MigrationCheck::Network) && request.host.is_some() {
        return Error::invalid("interfaces", message);
    }
    if is(MigrationCheck::Driver) || is(MigrationCheck::Machine) {
        let driver = place.driver.map_or("any", Driver::as_str).to_owned();
        return NotSupported { driver, message }.into();
    }
    errors::conflict(message)
}

/// Makes a router.
pub(crate) async fn create(work: &mut Work<Task>, creation: Creation) -> Result<String, Stop> {
    let (host, name, router) = (&creation.host, &creation.name, creation.router);
    let create_pool = creation.request.create_pool.unwrap_or_default();
    let connection = work.session(host, creation.driver).await?;
    let copy = images::ensure(work, &connection, host, creation.request.image, create_pool).await?;
    work.stop_if_cancelled()?;
    let files = files(work, &connection, &creation, &copy).await?;
    let failed = |what: &str, error| Stop::on(host, what, error);

    work.step(JobPhase::Preparing, format!("{name} is defined on {host}."))
        .await;
    work.stop_if_cancelled()?;
    let capabilities = connection.capabilities().await;
    let capabilities = capabilities.map_err(|error| failed("Asking what it can run", error))?;
    let target = define::target(
        &capabilities,
        creation.driver,
        &copy.image,
        work.state.use_kvm,
    );
    let target = target.map_err(|why| {
        Stop::failed(
            super::sentence(&why),
            "Choose another host or another image.",
        )
    })?;
    let definition = define::definition(&creation, &copy.image, &target, &files);
    work.will_do(Chore::about(host, creation.driver, router, What::Remove))
        .await?;
    let defined = connection.define_domain(&definition).await;
    defined.map_err(|error| failed(&format!("Defining {name}"), error))?;
    if creation.request.autostart == Some(true) {
        let set = connection.set_autostart(router.0, true).await;
        set.map_err(|error| failed(&format!("Letting {name} start with its host"), error))?;
    }
    if creation.request.start == Some(false) {
        let message = format!("{name} is defined on {host}.");
        work.commit(&message, Vec::new()).await?;
        return Ok(message);
    }
    let seconds = creation.request.ready_within_seconds.unwrap_or(READY);
    let description = &copy.image.description;
    let text = description.ready_text.as_deref().filter(|_| seconds > 0);
    work.step(JobPhase::Starting, format!("{name} is started."))
        .await;
    work.stop_if_cancelled()?;
    let since = Instant::now();
    let console = start(&connection, router, text.is_some()).await;
    let console = console.map_err(|error| failed(&format!("Starting {name}"), error))?;
    let message = format!("{name} runs on {host}.");
    work.commit(&message, Vec::new()).await?;

    // From here on it is there, ready or not.
    work.notes.let_others_go_on();
    let waiting = async {
        match (text, console) {
            (Some(text), Some(console)) => wrote(console, text).await,
            _ if description.guest_agent == Some(true) && creation.driver == Driver::Qemu => {
                agent(&connection, router).await
            }
            _ => Ready::Unasked,
        }
    };
    if seconds > 0 {
        let message = format!("{name} is waited for, {seconds} s at most.");
        work.step(JobPhase::Starting, message).await;
    }
    let within = Duration::from_secs(seconds.into());
    let ready = tokio::time::timeout(within, waiting).await;
    let message = match ready {
        Ok(Ready::Yes) => {
            let took = since.elapsed().as_secs_f64();
            format!("{name} runs on {host} and was ready after {took:.1} s.")
        }
        Ok(Ready::Ended) => {
            format!("{name} was made on {host}, and its console ended before it was ready.")
        }
        Err(_) if seconds > 0 => {
            format!("{name} runs on {host}, and was not ready within {seconds} s.")
        }
        Ok(Ready::Unasked) | Err(_) => message,
    };
    work.say_at_the_end(message.clone());
    Ok(message)
}

/// Whether a router is ready.
enum Ready {
    Yes,
    /// Nothing more comes.
    Ended,
    /// Its image does not say how that is seen.
    Unasked,
}

/// Starts a router; with its console, if what it writes there is wanted from the first byte on.
async fn start(
    connection: &Connection,
    router: RouterId,
    with_console: bool,
) -> Result<Option<ConsoleReader>, libvirt::Error> {
    let driver = connection.uri().driver();
    if !with_console || !driver.supports(Capability::Console) {
        connection.start_domain(router.0).await?;
        return Ok(None);
    }
    let pauses = driver.supports(Capability::StartPaused);
    if pauses {
        connection.start_domain_paused(router.0).await?;
    } else {
        connection.start_domain(router.0).await?;
    }
    let console = connection.open_console(router.0, None, false).await;
    if pauses {
        connection.resume(router.0).await?;
    }
    // Without it, nobody knows when it is ready; it runs all the same.
    Ok(console.ok().map(|console| console.split().1))
}

/// Waits for a text at a router's console.
async fn wrote(mut console: ConsoleReader, text: &str) -> Ready {
    let wanted = text.as_bytes();
    let mut seen: Vec<u8> = Vec::new();
    while let Some(data) = console.next().await {
        let Ok(data) = data else { return Ready::Ended };
        let ConsoleData::Bytes(bytes) = data else {
            continue;
        };
        seen.extend_from_slice(&bytes);
        if seen.windows(wanted.len()).any(|window| window == wanted) {
            return Ready::Yes;
        }
        let done = seen.len().saturating_sub(wanted.len());
        seen.drain(..done);
    }
    Ready::Ended
}

/// Waits for the agent in a router.
async fn agent(connection: &Connection, router: RouterId) -> Ready {
    loop {
        if let Ok(true) = connection.agent_answers(router.0).await {
            return Ready::Yes;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Makes the files of a router on its host.
async fn files(
    work: &mut Work<Task>,
    connection: &Connection,
    creation: &Creation,
    copy: &images::Copy,
) -> Result<Files, Stop> {
    let file = |role| copy.files.iter().find(|file| file.role == role);
    let path = |role| file(role).map(|file| file.path.clone());
    let mut files = Files {
        kernel: path(ImageFileRole::Kernel),
        initial_file_system: path(ImageFileRole::InitialFileSystem),
        ..Files::default()
    };
    let prefix = volume_prefix(creation.router);
    let name = &creation.name;
    let kind = copy.image.kind;
    if kind == ImageKind::RootFileSystem {
        // A container mounts a raw file: it gets a copy of its own, made on its host.
        let volume = format!("{prefix}.raw");
        work.step(
            JobPhase::Preparing,
            format!("A file system is made for {name}."),
        )
        .await;
        let mut made = VolumeXml::new(&volume, creation.disk_bytes.unwrap_or_default());
        made.format = Some("raw".to_owned());
        let base = file(ImageFileRole::Disk).map(|file| file.volume.clone());
        let path = make(
            work,
            connection,
            creation,
            &copy.pool,
            &made,
            base.as_deref(),
        )
        .await?;
        files.disk = Some((path, "raw"));
    } else if let (Some(bytes), base) = (creation.disk_bytes, path(ImageFileRole::Disk)) {
        let volume = format!("{prefix}.qcow2");
        work.step(JobPhase::Preparing, format!("A disk is made for {name}."))
            .await;
        let mut made = VolumeXml::new(&volume, bytes);
        made.format = Some("qcow2".to_owned());
        made.allocation_bytes = Some(0);
        let format = define::format(kind, ImageFileRole::Disk);
        made.backing_path.clone_from(&base);
        made.backing_format = base.as_ref().map(|_| format.to_owned());
        let path = make(work, connection, creation, &copy.pool, &made, None).await?;
        files.disk = Some((path, "qcow2"));
        files.base = base.map(|base| (base, format));
    }
    if let Some(init) = &creation.request.cloud_init {
        work.step(
            JobPhase::Preparing,
            format!("A seed for cloud-init is made for {name}."),
        )
        .await;
        files.seed = Some(seed_volume(work, connection, creation, &copy.pool, init).await?);
    }
    Ok(files)
}

/// Makes a volume; answers where it is.
async fn make(
    work: &mut Work<Task>,
    connection: &Connection,
    creation: &Creation,
    pool: &str,
    definition: &VolumeXml,
    from: Option<&str>,
) -> Result<String, Stop> {
    let (host, name) = (&creation.host, &definition.name);
    let what = What::DeleteVolume {
        pool: pool.to_owned(),
        volume: name.clone(),
    };
    work.will_do(Chore::about(host, creation.driver, creation.router, what))
        .await?;
    let can_copy = connection
        .uri()
        .driver()
        .supports(Capability::VolumeTransfer);
    let made = match from.filter(|_| can_copy) {
        Some(from) => connection.create_volume_from(pool, definition, from).await,
        None => connection.create_volume(pool, definition).await,
    };
    match made {
        Ok(volume) => Ok(volume.path),
        Err(error) => {
            if error.kind() == ErrorKind::Conflict {
                // It is somebody else's.
                work.plan.undo.pop();
                work.save_plan().await?;
            }
            Err(Stop::on(host, &format!("Making the volume {name}"), error))
        }
    }
}

async fn seed_volume(
    work: &mut Work<Task>,
    connection: &Connection,
    creation: &Creation,
    pool: &str,
    init: &api::CloudInit,
) -> Result<String, Stop> {
    let disk = seed::disk(creation.router, &creation.name, init, &creation.nics);
    let disk = disk.map_err(|error| {
        Stop::failed(
            format!("The seed could not be made: {error}."),
            "Make its user-data smaller.",
        )
    })?;
    let volume = seed::volume(creation.router);
    let mut made = VolumeXml::new(&volume, disk.len() as u64);
    made.format = Some("raw".to_owned());
    let path = make(work, connection, creation, pool, &made, None).await?;
    if !connection
        .uri()
        .driver()
        .supports(Capability::VolumeTransfer)
    {
        // The test driver's volumes hold nothing.
        return Ok(path);
    }
    let failed = |error| Stop::on(&creation.host, "Writing the seed", error);
    let upload = connection.upload(pool, &volume, Span::default()).await;
    let mut upload = upload.map_err(failed)?;
    upload.send(Bytes::from(disk)).await.map_err(failed)?;
    upload.finish().await.map_err(failed)?;
    Ok(path)
}
