//! Jobs that die at each of their steps: there is the whole of what was asked for, or nothing.
//!
//! Hosts of libvirt's test driver live as long as the connection to them. So it is not the server that
//! dies here but the job, by a panic right before or after it writes itself down; then what another
//! server would find in vms.db is gone on with, over the same connections.

use crate::{Control, HostSettings, Settings, jobs, service::State};
use api::{
    BeginImageUploadRequest, Caller, Channel, CloudInit, CreateRouterRequest,
    CreateVirtualLinkRequest, DeleteRouterRequest, DeleteVirtualLinkRequest, Error,
    ImageDescription, ImageFileRole, ImageId, ImageKind, Job, JobId, JobState, LinkAddressing,
    LinkTransport, ListJobsRequest, Operations, Role, RouterId, UploadPart, UploadedFile,
    WhenRunning,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use model::{Driver, HostId};
use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};
use tempfile::TempDir;
use uuid::Uuid;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

fn id(number: u8) -> RouterId {
    RouterId(Uuid::from_bytes([number; 16]))
}

fn pat() -> Caller {
    Caller {
        name: "pat".to_owned(),
        role: Role::Administrator,
        channel: Channel::Soap,
        address: None,
    }
}

/// Two hosts: alpha has the routers 1 (runs), 2 (runs) and 3 (off), beta has 4 (off).
struct World {
    _directory: TempDir,
    control: Control,
    operations: Arc<dyn Operations>,
    state: Arc<State>,
}

impl World {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(directory.path().join("data"));
        for (host, routers) in [
            ("alpha", &[(1, 1), (2, 1), (3, 5)][..]),
            ("beta", &[(4, 5)]),
        ] {
            let mut xml = "<node><cpu><mhz>1000</mhz><model>x86_64</model><active>4</active>\
                 <nodes>1</nodes><sockets>1</sockets><cores>4</cores><threads>1</threads></cpu>\
                 <memory>4194304</memory>"
                .to_owned();
            for (number, state) in routers {
                let _ = write!(
                    xml,
                    "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>\
                     <test:runstate>{state}</test:runstate><name>r{number}</name>\
                     <uuid>{}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>\
                     <os><type>hvm</type></os></domain>",
                    id(*number)
                );
            }
            let file = directory.path().join(format!("{host}.xml"));
            std::fs::write(&file, xml + "</node>").unwrap();
            let uri = libvirt::Uri::test_file(&file);
            settings
                .hosts
                .push(HostSettings::new(host.parse().unwrap(), uri));
        }
        let control = Control::start(settings).await.unwrap();
        control.ready().wait_for(|ready| *ready).await.unwrap();
        Self {
            operations: control.operations(),
            state: control.state(),
            control,
            _directory: directory,
        }
    }

    /// All that the hosts have: definitions of routers as they are and as they would start, networks,
    /// volumes.
    async fn hosts(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for host in ["alpha", "beta"] {
            let id = HostId::new(host);
            let connection = self.state.fleet.connection(&id, Driver::Test).await;
            let connection = connection.unwrap();
            for domain in connection.list_domains().await.unwrap() {
                let next = connection.inactive_definition(domain.uuid).await.unwrap();
                let macs = |of: &libvirt::DomainXml| super::nics::macs(of).collect::<Vec<_>>();
                let what = format!(
                    "{:?} {:?} {} {:?}",
                    domain.state,
                    macs(&domain.definition),
                    domain.autostart,
                    next.to_xml(),
                );
                all.insert(format!("{host} router {}", domain.name), what);
            }
            for network in connection.list_networks().await.unwrap() {
                let what = format!("{}", network.active);
                all.insert(format!("{host} network {}", network.name), what);
            }
            for pool in connection.list_pools().await.unwrap() {
                for volume in connection.list_volumes(&pool.name).await.unwrap() {
                    all.insert(format!("{host} volume {}", volume.name), String::new());
                }
            }
        }
        all
    }

    async fn jobs(&self) -> Vec<Job> {
        let request = ListJobsRequest {
            limit: Some(1000),
            ..ListJobsRequest::default()
        };
        self.operations
            .list_jobs(&pat(), request)
            .await
            .unwrap()
            .jobs
    }

    /// Waits until no job is at work.
    async fn rest(&self) {
        let resting = async {
            while !self.state.jobs.tasks.is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, resting).await.unwrap();
    }

    /// Asks for something, and lets the server die at the so manyth step of it, and at each of
    /// `again` steps of what comes after that. Answers whether it died at all, and how it ended.
    async fn dying<T: Send + 'static>(
        &self,
        chance: usize,
        again: &[usize],
        asked: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> (bool, Option<JobState>) {
        let before = self.jobs().await.len();
        let death = &self.state.jobs.death;
        death.comes_after(chance);
        // It may die before it has an answer.
        if let Ok(Err(error)) = tokio::spawn(asked).await {
            // Or be told that this is so.
            assert!(matches!(error, Error::Internal(_)), "{error}");
        }
        self.rest().await;
        let has_died = !death.is_to_come();
        for chance in again.iter().chain(&[0]) {
            death.comes_after(*chance);
            for entry in self.state.jobs.find_again().await {
                jobs::go_on(&self.state, entry);
            }
            self.rest().await;
        }
        let jobs = self.jobs().await;
        let job = (jobs.len() > before).then(|| &jobs[0]);
        if let Some(job) = job {
            assert!(job.state.is_over(), "{job:#?}");
        }
        (has_died, job.map(|job| job.state))
    }

    /// Has a job done to its end.
    async fn done(&self, job: JobId) -> Job {
        let entry = self.state.jobs.get(job).unwrap();
        let job = entry.ended(PATIENCE).await;
        self.rest().await;
        assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
        job
    }

    async fn link(&self, request: CreateVirtualLinkRequest) -> (api::VirtualLink, JobId) {
        let reply = self.operations.create_virtual_link(&pat(), request).await;
        let reply = reply.unwrap();
        (reply.link, reply.job.id)
    }

    async fn links(&self) -> Vec<api::VirtualLink> {
        let all = super::links::all(&self.state).await.unwrap();
        all.into_iter().map(|made| made.link).collect()
    }
}

fn link(a: u8, b: u8, when: WhenRunning) -> CreateVirtualLinkRequest {
    CreateVirtualLinkRequest {
        a: id(a),
        b: id(b),
        transport: None,
        bridge: None,
        bits_per_second_to_b: None,
        bits_per_second_to_a: None,
        mtu: None,
        addressing: Some(LinkAddressing::Ipv4),
        when_running: Some(when),
        request_id: None,
    }
}

fn unlink(link: api::VirtualLinkId, when: WhenRunning) -> DeleteVirtualLinkRequest {
    DeleteVirtualLinkRequest {
        link,
        when_running: Some(when),
        request_id: None,
    }
}

/// How often it may die again, before it is done.
const AGAIN: [&[usize]; 4] = [&[], &[1], &[2, 3], &[5, 4, 6]];

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_dies_at_any_step_is_there_or_not() {
    let world = World::start().await;
    let before = world.hosts().await;
    for (a, b, when) in [
        (1, 2, WhenRunning::Restart),
        (1, 3, WhenRunning::NextStart),
        (3, 4, WhenRunning::Refuse),
    ] {
        let (mut whole, mut nothing) = (0, 0);
        for chance in 1.. {
            let operations = Arc::clone(&world.operations);
            let asked = async move {
                operations
                    .create_virtual_link(&pat(), link(a, b, when))
                    .await
            };
            let (has_died, state) = world.dying(chance, AGAIN[chance % 4], asked).await;
            match &world.links().await[..] {
                [] => {
                    assert_ne!(state, Some(JobState::Succeeded), "at {chance}");
                    assert_eq!(world.hosts().await, before, "at {chance}");
                    nothing += 1;
                }
                [link] => {
                    assert_eq!(state, Some(JobState::Succeeded), "at {chance}");
                    let now = world.hosts().await;
                    for end in [&link.a, &link.b] {
                        let router =
                            now[&format!("{} router {}", end.host, end.router_name)].clone();
                        assert!(
                            router.contains(&end.mac.to_string()),
                            "at {chance}: {router}"
                        );
                    }
                    let request = unlink(link.id, when);
                    let reply = world.operations.delete_virtual_link(&pat(), request).await;
                    world.done(reply.unwrap().job.id).await;
                    assert_eq!(world.hosts().await, before, "at {chance}");
                    whole += 1;
                }
                more => panic!("{more:#?}"),
            }
            if !has_died {
                break;
            }
        }
        assert!(whole > 3 && nothing > 10, "{whole} and {nothing}");
    }
    world.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_whose_deletion_dies_at_any_step_is_gone_or_as_it_was() {
    let world = World::start().await;
    let before = world.hosts().await;
    let (mut gone, mut there) = (0, 0);
    for chance in 1.. {
        let (made, job) = world.link(link(1, 2, WhenRunning::Restart)).await;
        world.done(job).await;
        let with_it = world.hosts().await;
        let operations = Arc::clone(&world.operations);
        let asked = async move {
            let request = unlink(made.id, WhenRunning::Restart);
            operations.delete_virtual_link(&pat(), request).await
        };
        let (has_died, state) = world.dying(chance, AGAIN[chance % 4], asked).await;
        if world.links().await.is_empty() {
            assert_eq!(state, Some(JobState::Succeeded), "at {chance}");
            gone += 1;
        } else {
            assert_ne!(state, Some(JobState::Succeeded), "at {chance}");
            assert_eq!(world.hosts().await, with_it, "at {chance}");
            let request = unlink(made.id, WhenRunning::Restart);
            let reply = world.operations.delete_virtual_link(&pat(), request).await;
            world.done(reply.unwrap().job.id).await;
            there += 1;
        }
        assert_eq!(world.hosts().await, before, "at {chance}");
        if !has_died {
            break;
        }
    }
    assert!(gone > 5 && there > 3, "{gone} and {there}");
    world.control.shutdown().await;
}

/// An image of a disk, in the store.
async fn image(world: &World) -> ImageId {
    let request = BeginImageUploadRequest {
        kind: ImageKind::Raw,
        description: ImageDescription {
            name: "router".to_owned(),
            version: "1".to_owned(),
            architecture: "x86_64".to_owned(),
            cloud_init: Some(true),
            ..ImageDescription::default()
        },
        files: vec![UploadedFile {
            role: ImageFileRole::Disk,
            size_bytes: Some(1 << 20),
            sha256: None,
        }],
        request_id: None,
    };
    let upload = world.operations.begin_image_upload(&pat(), request).await;
    let part = UploadPart {
        upload: upload.unwrap().upload.id,
        role: ImageFileRole::Disk,
        offset: 0,
        size_bytes: None,
        last: true,
        bytes: stream::iter([Ok(Bytes::from(vec![7; 1 << 20]))]).boxed(),
    };
    let sent = world.operations.upload_image_part(&pat(), part).await;
    sent.unwrap().upload.image.unwrap()
}

fn router(image: ImageId, name: &str) -> CreateRouterRequest {
    CreateRouterRequest {
        name: name.to_owned(),
        image,
        host: Some("beta".parse().unwrap()),
        driver: None,
        vcpus: Some(1),
        memory_bytes: Some(64 << 20),
        disk_bytes: Some(1 << 20),
        interfaces: Vec::new(),
        virtual_network: None,
        tags: Vec::new(),
        autostart: Some(true),
        start: None,
        ready_within_seconds: Some(0),
        cloud_init: Some(CloudInit::default()),
        kernel_arguments: None,
        create_pool: Some(true),
        request_id: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_whose_making_dies_at_any_step_is_there_or_not() {
    let world = World::start().await;
    let image = image(&world).await;
    // The image stays as a copy.
    let routers = async || {
        let mut all = world.hosts().await;
        all.retain(|what, _| what.contains("router") || what.contains("network"));
        all
    };
    let before = routers().await;
    let (mut whole, mut nothing) = (0, 0);
    for chance in 1.. {
        let operations = Arc::clone(&world.operations);
        let asked = async move { operations.create_router(&pat(), router(image, "new")).await };
        let (has_died, state) = world.dying(chance, AGAIN[chance % 4], asked).await;
        let now = routers().await;
        if now == before {
            assert_ne!(state, Some(JobState::Succeeded), "at {chance}");
            nothing += 1;
        } else {
            assert_eq!(state, Some(JobState::Succeeded), "at {chance}: {now:#?}");
            assert!(now["beta router new"].starts_with("Running"), "{now:#?}");
            let view = world.state.view();
            let mut known = view.topology().routers.values();
            let made = known.find(|router| router.domain.name == "new").unwrap();
            let request = DeleteRouterRequest {
                router: RouterId(made.domain.id.0),
                keep_disks: None,
                force: Some(true),
                request_id: None,
            };
            let reply = world.operations.delete_router(&pat(), request).await;
            world.done(reply.unwrap().job.id).await;
            assert_eq!(routers().await, before, "at {chance}");
            whole += 1;
        }
        let left: Vec<_> = world.hosts().await.into_keys().collect();
        assert!(
            !left.iter().any(|what| what.contains("router-")),
            "at {chance}: {left:#?}"
        );
        if !has_died {
            break;
        }
    }
    assert!(whole > 2 && nothing > 10, "{whole} and {nothing}");
    world.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_whose_deletion_dies_at_any_step_is_gone_with_its_links_or_is_as_it_was() {
    let world = World::start().await;
    let image = image(&world).await;
    let before = world.hosts().await;
    let (mut gone, mut there) = (0, 0);
    let mut left = Vec::new();
    for chance in 1.. {
        let reply = world
            .operations
            .create_router(&pat(), router(image, "new"))
            .await;
        let made = world.done(reply.unwrap().job.id).await.router.unwrap();
        let request = CreateVirtualLinkRequest {
            b: made,
            transport: Some(LinkTransport::Multicast),
            ..link(3, 3, WhenRunning::NextStart)
        };
        let (_, job) = world.link(request.clone()).await;
        world.done(job).await;
        let request = CreateVirtualLinkRequest {
            a: id(4),
            transport: None,
            ..request
        };
        let (_, job) = world.link(request).await;
        world.done(job).await;
        let with_it = world.hosts().await;
        let operations = Arc::clone(&world.operations);
        let delete = move || DeleteRouterRequest {
            router: made,
            keep_disks: None,
            force: Some(true),
            request_id: None,
        };
        let asked = async move { operations.delete_router(&pat(), delete()).await };
        let (has_died, state) = world.dying(chance, AGAIN[chance % 4], asked).await;
        if world.links().await.is_empty() {
            assert_eq!(state, Some(JobState::Succeeded), "at {chance}");
            gone += 1;
        } else {
            assert_ne!(state, Some(JobState::Succeeded), "at {chance}");
            assert_eq!(world.hosts().await, with_it, "at {chance}");
            let reply = world.operations.delete_router(&pat(), delete()).await;
            world.done(reply.unwrap().job.id).await;
            there += 1;
        }
        let mut now = world.hosts().await;
        now.retain(|what, _| !what.contains("volume"));
        assert_eq!(now, before, "at {chance}");
        left = world
            .hosts()
            .await
            .into_keys()
            .filter(|of| of.contains("volume"))
            .collect();
        if !has_died {
            break;
        }
    }
    // The image's copy stays.
    assert_eq!(left.len(), 1, "{left:#?}");
    assert!(gone > 5 && there > 3, "{gone} and {there}");
    world.control.shutdown().await;
}

impl World {
    /// Lets alpha be out of reach, or back.
    fn reach_alpha(
        &self,
        line: Option<Arc<crate::fleet::Line>>,
    ) -> Option<Arc<crate::fleet::Line>> {
        let contact = self.state.fleet.contact(&HostId::new("alpha")).unwrap();
        let before = contact.endpoints[0].control();
        contact.endpoints[0].set_control(line);
        before
    }

    /// Takes all turns at alpha: who comes waits until this is dropped.
    async fn hold_alpha(&self) -> Vec<impl Send> {
        let hosts = [HostId::new("alpha")];
        let mut turns = Vec::new();
        for _ in 0..2 {
            let place = self.state.jobs.turns.join(JobId(Uuid::new_v4()), &hosts);
            turns.push(place.turn().await);
        }
        turns
    }

    async fn is(&self, job: JobId, state: JobState) -> Job {
        let waiting = async {
            loop {
                let job = self.state.jobs.get(job).unwrap().job();
                if job.state == state {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, waiting).await;
        found.unwrap_or_else(|_| panic!("{:#?}", self.state.jobs.get(job)))
    }

    async fn unlink(&self, link: api::VirtualLinkId, when: WhenRunning) -> Result<JobId, Error> {
        let request = unlink(link, when);
        let reply = self.operations.delete_virtual_link(&pat(), request).await;
        reply.map(|reply| reply.job.id)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_taken_away_at_a_host_that_is_away_is_waited_for_or_given_up() {
    let world = World::start().await;
    let before = world.hosts().await;
    for is_given_up in [false, true] {
        let (made, job) = world.link(link(2, 3, WhenRunning::Restart)).await;
        world.done(job).await;
        let with_it = world.hosts().await;
        let turns = world.hold_alpha().await;
        let job = world.unlink(made.id, WhenRunning::Restart).await.unwrap();
        let line = world.reach_alpha(None);
        drop(turns);
        let waiting = world.is(job, JobState::CleanupPending).await;
        assert!(
            waiting.cancellable && waiting.pending.len() == 5,
            "{waiting:#?}"
        );
        // All of it is held until all of it is gone.
        assert_eq!(world.links().await, std::slice::from_ref(&made));
        let again = world.unlink(made.id, WhenRunning::Restart).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        if is_given_up {
            assert!(world.state.jobs.get(job).unwrap().ask_to_cancel());
            let ended = world.is(job, JobState::Failed).await;
            assert!(
                ended.message.contains("as a whole. Left undone, as asked"),
                "{ended:#?}"
            );
            world.reach_alpha(line);
            assert_eq!(world.hosts().await, with_it);
            // It is known still, and can be taken away.
            let job = world.unlink(made.id, WhenRunning::Restart).await.unwrap();
            world.done(job).await;
        } else {
            world.reach_alpha(line);
            world.done(job).await;
        }
        assert_eq!(world.links().await, []);
        assert_eq!(world.hosts().await, before);
    }
    world.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_at_a_host_that_is_away_is_taken_back_once_it_is_back() {
    let world = World::start().await;
    let before = world.hosts().await;
    // Away before anything was done.
    let turns = world.hold_alpha().await;
    let (_, job) = world.link(link(1, 2, WhenRunning::Restart)).await;
    let line = world.reach_alpha(None);
    drop(turns);
    let failed = world.is(job, JobState::Failed).await;
    let message = failed.error.unwrap().message;
    assert!(
        message.contains("not in contact. Nothing was changed."),
        "{message}"
    );
    world.reach_alpha(line);
    world.rest().await;
    assert_eq!(world.hosts().await, before);
    // The server dies when half of it is done, and finds the host away.
    let operations = Arc::clone(&world.operations);
    world.state.jobs.death.comes_after(17);
    let asked = link(1, 2, WhenRunning::Restart);
    let asked = tokio::spawn(async move { operations.create_virtual_link(&pat(), asked).await });
    let job = asked.await.unwrap().unwrap().job.id;
    world.rest().await;
    assert_ne!(world.hosts().await, before);
    let line = world.reach_alpha(None);
    for entry in world.state.jobs.find_again().await {
        jobs::go_on(&world.state, entry);
    }
    let waiting = world.is(job, JobState::CleanupPending).await;
    assert!(!waiting.pending.is_empty(), "{waiting:#?}");
    world.reach_alpha(line);
    world.is(job, JobState::Interrupted).await;
    world.rest().await;
    assert_eq!(world.hosts().await, before);
    world.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_linked_is_left_alone_while_one_end_moves() {
    let world = World::start().await;
    let request = CreateVirtualLinkRequest {
        transport: Some(LinkTransport::Multicast),
        ..link(3, 4, WhenRunning::Refuse)
    };
    let (made, job) = world.link(request.clone()).await;
    world.done(job).await;
    let turns = world.hold_alpha().await;
    let moving = api::MigrateRouterRequest {
        router: id(4),
        destination: "alpha".parse().unwrap(),
        mode: Some(api::MigrationMode::Cold),
        bandwidth_mebibytes_per_second: None,
        maximum_downtime_milliseconds: None,
        shutdown_seconds: None,
        request_id: None,
    };
    let moving = world.operations.migrate_router(&pat(), moving).await;
    let moving = moving.unwrap().job.id;
    let delete = |number| DeleteRouterRequest {
        router: id(number),
        keep_disks: None,
        force: None,
        request_id: None,
    };
    let refused = [
        world.unlink(made.id, WhenRunning::Refuse).await.err(),
        world
            .operations
            .delete_router(&pat(), delete(3))
            .await
            .err(),
        world
            .operations
            .delete_router(&pat(), delete(4))
            .await
            .err(),
        world
            .operations
            .create_virtual_link(&pat(), request)
            .await
            .err(),
    ];
    for error in refused {
        let error = error.expect("refused");
        assert!(matches!(error, Error::Conflict(_)), "{error:?}");
        assert!(error.to_string().contains(&moving.to_string()), "{error}");
    }
    drop(turns);
    world.done(moving).await;
    // Its other end is found where it is by now.
    let reply = world.operations.delete_router(&pat(), delete(3)).await;
    world.done(reply.unwrap().job.id).await;
    let now = world.hosts().await;
    assert!(now["alpha router r4"].starts_with("ShutOff []"), "{now:#?}");
    assert_eq!(now.len(), 3, "{now:#?}");
    assert_eq!(world.links().await, []);
    world.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_given_up_at_any_moment_is_there_or_not() {
    let world = World::start().await;
    let before = world.hosts().await;
    let (mut cancelled, mut made) = (0, 0);
    for pause in 0.. {
        let (link, job) = world.link(link(1, 2, WhenRunning::Restart)).await;
        tokio::time::sleep(Duration::from_millis(pause * 2)).await;
        let entry = world.state.jobs.get(job).unwrap();
        let is_heard = entry.ask_to_cancel();
        let ended = entry.ended(PATIENCE).await;
        world.rest().await;
        if ended.state == JobState::Cancelled {
            assert!(is_heard);
            assert_eq!(world.links().await, []);
            cancelled += 1;
        } else {
            assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}");
            let job = world.unlink(link.id, WhenRunning::Restart).await.unwrap();
            world.done(job).await;
            made += 1;
        }
        assert_eq!(world.hosts().await, before, "after {pause}");
        if made == 3 || pause == 200 {
            break;
        }
    }
    assert!(cancelled > 2 && made > 0, "{cancelled} and {made}");
    world.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_down_does_not_begin() {
    let world = World::start().await;
    let image = image(&world).await;
    let before = world.hosts().await;
    crate::store::tests::fill_the_disk(&world.state.store).await;
    let large = CreateRouterRequest {
        cloud_init: Some(CloudInit {
            user_data: Some("x".repeat(500 << 10)),
            ..CloudInit::default()
        }),
        ..router(image, "new")
    };
    let error = world.operations.create_router(&pat(), large).await;
    assert!(matches!(error, Err(Error::Internal(_))), "{error:?}");
    assert!(world.jobs().await.is_empty());
    assert_eq!(world.hosts().await, before);
    // Nor does it hold what it would have had.
    let reply = world
        .operations
        .create_router(&pat(), router(image, "new"))
        .await;
    world.is(reply.unwrap().job.id, JobState::Succeeded).await;
    world.control.shutdown().await;
}
