//! Routers and links that are made, changed and taken away, on hosts of libvirt's test driver.

use crate::{
    moving::{Written, cold, held_up},
    support::{self, Running, observer, operator},
    world::{Spec, World, forget_answers, host, id, mac, router},
};
use api::{
    AttachInterfaceReply, AttachInterfaceRequest, BeginImageUploadRequest, CreateRouterRequest,
    CreateVirtualLinkRequest, DeleteRouterRequest, DeleteVirtualLinkRequest, DestroyRouterRequest,
    DetachInterfaceRequest, Effective, Error, ImageDescription, ImageFileRole, ImageId, ImageKind,
    InterfaceKind, Job, JobId, JobKind, JobPhase, JobState, LinkAddressing, LinkTransport,
    ListJobsRequest, ListVirtualLinksRequest, MacAddress, NewInterface, RebootRouterRequest,
    ResetRouterRequest, ResizeRouterRequest, ResumeRouterRequest, RouterId, RouterState,
    ShutdownRouterRequest, StartRouterRequest, SuspendRouterRequest, UploadPart, UploadedFile,
    VirtualLink, VirtualLinkId, WhenRunning,
};
use bytes::Bytes;
use control::{DeclaredLink, Settings};
use futures_util::{StreamExt as _, future::join_all, stream};
use serde_json::json;
use std::{collections::BTreeSet, net::Ipv4Addr};
use uuid::Uuid;

/// A network of a host, as the test driver reads it.
const LAN: &str = "<network><name>lan</name><bridge name='virbr7'/></network>";

fn link(a: u8, b: u8) -> CreateVirtualLinkRequest {
    CreateVirtualLinkRequest {
        a: id(a),
        b: id(b),
        transport: None,
        bridge: None,
        bits_per_second_to_b: None,
        bits_per_second_to_a: None,
        mtu: None,
        addressing: None,
        when_running: None,
        request_id: None,
    }
}

fn unlink(link: VirtualLinkId) -> DeleteVirtualLinkRequest {
    DeleteVirtualLinkRequest {
        link,
        when_running: None,
        request_id: None,
    }
}

fn delete(router: RouterId) -> DeleteRouterRequest {
    DeleteRouterRequest {
        router,
        keep_disks: None,
        force: None,
        request_id: None,
    }
}

fn shut_down(number: u8) -> ShutdownRouterRequest {
    ShutdownRouterRequest {
        router: id(number),
        deadline_seconds: None,
        force: None,
        request_id: None,
    }
}

fn made_from(image: ImageId, name: &str) -> CreateRouterRequest {
    CreateRouterRequest {
        name: name.to_owned(),
        image,
        host: None,
        driver: None,
        vcpus: None,
        memory_bytes: Some(64 << 20),
        disk_bytes: None,
        interfaces: Vec::new(),
        virtual_network: None,
        tags: Vec::new(),
        autostart: None,
        start: None,
        ready_within_seconds: None,
        cloud_init: None,
        kernel_arguments: None,
        create_pool: Some(true),
        request_id: None,
    }
}

fn on_lan() -> NewInterface {
    NewInterface {
        network: Some("lan".to_owned()),
        ..NewInterface::default()
    }
}

impl Running {
    async fn link(&self, request: CreateVirtualLinkRequest) -> Result<(VirtualLink, JobId), Error> {
        let reply = self
            .operations
            .create_virtual_link(&operator(), request)
            .await;
        reply.map(|reply| (reply.link, reply.job.id))
    }

    /// A link, made.
    async fn linked(&self, request: CreateVirtualLinkRequest) -> VirtualLink {
        let (link, job) = self.link(request).await.unwrap();
        self.succeeded(job).await;
        link
    }

    async fn unlink(&self, request: DeleteVirtualLinkRequest) -> Result<JobId, Error> {
        let reply = self
            .operations
            .delete_virtual_link(&operator(), request)
            .await;
        reply.map(|reply| reply.job.id)
    }

    async fn links(&self) -> Vec<VirtualLink> {
        let request = ListVirtualLinksRequest::default();
        let reply = self
            .operations
            .list_virtual_links(&observer(), request)
            .await;
        reply.unwrap().links
    }

    async fn delete(&self, request: DeleteRouterRequest) -> Result<JobId, Error> {
        let reply = self.operations.delete_router(&operator(), request).await;
        reply.map(|reply| reply.job.id)
    }

    async fn make(&self, request: CreateRouterRequest) -> Result<Job, Error> {
        let reply = self.operations.create_router(&operator(), request).await;
        reply.map(|reply| reply.job)
    }

    async fn shut_down(&self, request: ShutdownRouterRequest) -> Result<JobId, Error> {
        let reply = self.operations.shutdown_router(&operator(), request).await;
        reply.map(|reply| reply.job.id)
    }

    async fn start_router(&self, number: u8) -> Result<RouterState, Error> {
        let request = StartRouterRequest {
            router: id(number),
            request_id: None,
        };
        let reply = self.operations.start_router(&operator(), request).await;
        reply.map(|reply| reply.router.state)
    }

    async fn attach(
        &self,
        number: u8,
        interface: NewInterface,
    ) -> Result<AttachInterfaceReply, Error> {
        let request = AttachInterfaceRequest {
            router: id(number),
            interface,
            request_id: None,
        };
        self.operations.attach_interface(&operator(), request).await
    }

    async fn detach(&self, number: u8, mac: MacAddress) -> Result<Effective, Error> {
        let request = DetachInterfaceRequest {
            router: id(number),
            mac,
            request_id: None,
        };
        let reply = self.operations.detach_interface(&operator(), request).await;
        reply.map(|reply| reply.effective)
    }

    async fn succeeded(&self, job: JobId) -> Job {
        let job = self.ended(job).await;
        assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
        assert!(!job.cancellable && job.pending.is_empty(), "{job:#?}");
        assert_eq!(job.phase, JobPhase::Done);
        job
    }

    /// The interfaces of a router: what each is attached to, and its addresses.
    async fn nics(&self, number: u8) -> Vec<(InterfaceKind, String, Vec<String>)> {
        let nics = self.router(number).await.interfaces.into_iter();
        nics.map(|nic| (nic.kind, nic.source.unwrap_or_default(), nic.addresses))
            .collect()
    }

    /// How many router interfaces each segment has.
    async fn segments(&self) -> Vec<usize> {
        let topology = self.topology().await;
        let segments = topology.segments.iter();
        segments.map(|segment| segment.members.len()).collect()
    }

    /// An image of a disk of 1 MiB, in the store.
    async fn image(&self, describe: impl FnOnce(&mut ImageDescription)) -> ImageId {
        let mut description = ImageDescription {
            name: "image".to_owned(),
            version: Uuid::new_v4().simple().to_string(),
            architecture: "x86_64".to_owned(),
            ..ImageDescription::default()
        };
        describe(&mut description);
        let request = BeginImageUploadRequest {
            kind: ImageKind::Raw,
            description,
            files: vec![UploadedFile {
                role: ImageFileRole::Disk,
                size_bytes: Some(1 << 20),
                sha256: None,
            }],
            request_id: None,
        };
        let upload = self
            .operations
            .begin_image_upload(&operator(), request)
            .await;
        let part = UploadPart {
            upload: upload.unwrap().upload.id,
            role: ImageFileRole::Disk,
            offset: 0,
            size_bytes: None,
            last: true,
            bytes: stream::iter([Ok(Bytes::from(vec![7; 1 << 20]))]).boxed(),
        };
        let sent = self.operations.upload_image_part(&operator(), part).await;
        sent.unwrap().upload.image.unwrap()
    }
}

fn is_conflict<T: std::fmt::Debug>(result: Result<T, Error>, with: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    assert!(error.to_string().contains(with), "{error}");
}

fn is_not_supported<T: std::fmt::Debug>(result: Result<T, Error>, with: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::NotSupported(_)), "{error:?}");
    assert!(error.to_string().contains(with), "{error}");
}

fn is_invalid<T: std::fmt::Debug>(result: Result<T, Error>, element: &str, with: &str) {
    let error = result.unwrap_err();
    let Error::InvalidArgument(detail) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(detail.element, element, "{error}");
    assert!(error.to_string().contains(with), "{error}");
}

fn is_not_found<T: std::fmt::Debug>(result: Result<T, Error>, kind: &str) {
    let error = result.unwrap_err();
    let Error::NotFound(detail) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(detail.kind, kind, "{error}");
}

/// Of all, exactly one did it, and the others were told that somebody else did.
fn one_of<T: std::fmt::Debug>(results: Vec<Result<T, Error>>, with: &str) -> T {
    let (mut done, mut refused) = (Vec::new(), 0);
    for result in results {
        match result {
            Ok(it) => done.push(it),
            Err(error) => {
                assert!(matches!(error, Error::Conflict(_)), "{error:?}");
                assert!(error.to_string().contains(with), "{error}");
                refused += 1;
            }
        }
    }
    assert_eq!(done.len(), 1, "{done:?}");
    assert!(refused > 0);
    done.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_one_host_is_a_network_and_is_gone_without_a_trace() {
    let world = World::new().host("alpha", &[], &[router(1).off(), router(2).off()]);
    let running = world.start().await;
    let request = CreateVirtualLinkRequest {
        bits_per_second_to_b: Some(10_000_000),
        mtu: Some(1400),
        addressing: Some(LinkAddressing::Ipv4),
        ..link(1, 2)
    };
    let (link, job) = running.link(request).await.unwrap();
    let job = running.succeeded(job).await;
    assert_eq!(job.kind, JobKind::LinkCreation);
    assert_eq!((job.link, job.router), (Some(link.id), Some(id(1))));
    assert_eq!(
        (job.source, job.destination),
        (Some(host("alpha")), Some(host("alpha")))
    );
    assert!(
        job.message
            .contains("r1 and r2 are linked by a isolated network"),
        "{}",
        job.message
    );
    // Whoever hears that it is over sees it: both interfaces, in one segment.
    assert_eq!(running.segments().await, [2]);
    let network = link.carrier.trim_start_matches("network ");
    let nics = [running.nics(1).await, running.nics(2).await];
    for nics in nics {
        // Guests that VMS did not make are not told of addresses, so none is said to be there.
        assert_eq!(nics, [(InterfaceKind::Network, network.to_owned(), vec![])]);
    }
    let addresses = [&link.a, &link.b].map(|end| end.address.as_deref());
    assert_eq!(addresses, [Some("100.64.0.0/31"), Some("100.64.0.1/31")]);
    assert_eq!(running.links().await, std::slice::from_ref(&link));
    // Each end's jobs are the link's.
    for number in [1, 2] {
        let request = ListJobsRequest {
            router: Some(id(number)),
            ..ListJobsRequest::default()
        };
        assert_eq!(running.jobs(request).await, [job.id]);
    }
    // Its interfaces are its own.
    is_conflict(running.detach(2, link.b.mac).await, "DeleteVirtualLink");

    let job = running.unlink(unlink(link.id)).await.unwrap();
    let job = running.succeeded(job).await;
    assert_eq!((job.kind, job.link), (JobKind::LinkDeletion, Some(link.id)));
    assert_eq!(running.segments().await, [0; 0]);
    assert_eq!(
        (running.nics(1).await, running.nics(2).await),
        (vec![], vec![])
    );
    assert_eq!(running.links().await, []);
    is_not_found(running.unlink(unlink(link.id)).await, "virtualLink");
    running.control.shutdown().await;
}

/// Two hosts whose bridge `trunk` is one segment.
fn wired(world: &World) -> Settings {
    let mut settings = world.settings();
    settings.links.push(DeclaredLink {
        a: (host("alpha"), "port0".to_owned()),
        b: (host("beta"), "port0".to_owned()),
        capacity_bits_per_second: None,
        latency: None,
    });
    for (at, address) in ["10.9.0.1", "10.9.0.2"].iter().enumerate() {
        settings.hosts[at].addresses.transport = Some(address.parse().unwrap());
    }
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn links_between_hosts_are_carried_by_what_both_have() {
    let world = World::new()
        .host("alpha", &["trunk"], &[router(1).off()])
        .host("beta", &["trunk"], &[router(2).off()]);
    let mut settings = wired(&world);
    settings.virtual_links.bridges = vec!["trunk".to_owned()];
    let running = support::start(settings).await;
    let with = |transport| CreateVirtualLinkRequest {
        transport: Some(transport),
        ..link(1, 2)
    };
    let bridge = running.linked(link(1, 2)).await;
    assert_eq!(
        (bridge.transport, &*bridge.carrier),
        (LinkTransport::Bridge, "bridge trunk")
    );
    // There is no other bridge, so the next one is a group; nobody insists.
    let multicast = running.linked(link(1, 2)).await;
    assert_eq!(multicast.carrier, "multicast group 239.192.0.1:5558");
    is_conflict(
        running.link(with(LinkTransport::Bridge)).await,
        "link_bridges",
    );
    let udp = running.linked(with(LinkTransport::Udp)).await;
    assert_eq!(udp.carrier, "UDP 10.9.0.1:20000 and 10.9.0.2:20000");
    assert_eq!(running.segments().await, [2, 2, 2]);
    is_not_supported(
        running.link(with(LinkTransport::Network)).await,
        "they are on two",
    );
    // Limits are what bridges keep.
    let limited = CreateVirtualLinkRequest {
        mtu: Some(1400),
        ..with(LinkTransport::Udp)
    };
    is_not_supported(running.link(limited.clone()).await, "could keep mtu");

    // An end that moved is found where it is.
    let moved = running.migrate(cold(2, "alpha")).await;
    assert!(moved.is_ok(), "{moved:?}");
    running.succeeded(moved.unwrap().id).await;
    for link in [bridge, multicast, udp] {
        let job = running.unlink(unlink(link.id)).await.unwrap();
        running.succeeded(job).await;
    }
    assert_eq!(running.segments().await, [0; 0]);
    assert_eq!(
        (running.nics(1).await, running.nics(2).await),
        (vec![], vec![])
    );
    // The bridge is free again.
    running
        .succeeded(running.migrate(cold(2, "beta")).await.unwrap().id)
        .await;
    let limited = CreateVirtualLinkRequest {
        transport: None,
        ..limited
    };
    assert_eq!(
        running.linked(limited).await.transport,
        LinkTransport::Bridge
    );
    // What of the limits nothing keeps that is left is refused, and the group is not taken for it.
    let limited = CreateVirtualLinkRequest {
        bits_per_second_to_a: Some(1_000_000),
        ..link(1, 2)
    };
    is_conflict(running.link(limited).await, "bitsPerSecondToA");
    running.control.shutdown().await;
}

/// Where pools have room for one.
fn scarce(world: &World) -> Settings {
    let mut settings = wired(world);
    let links = &mut settings.virtual_links;
    links.groups = (Ipv4Addr::new(239, 1, 1, 1), 32);
    links.udp_ports = 7000..=7000;
    links.ipv4 = (Ipv4Addr::new(10, 77, 0, 0), 31);
    links.ipv6 = ("fd00:77::".parse().unwrap(), 64);
    links.bridges = vec!["trunk".to_owned()];
    settings
}

fn pairs(number: u8) -> impl Iterator<Item = (u8, u8)> {
    (1..=number).map(move |at| (at, 100 + at))
}

fn routers(from: u8, to: u8) -> Vec<Spec> {
    (from..=to).map(|number| router(number).off()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_want_the_last_one_gets_it_and_it_comes_back() {
    let world = World::new().host("alpha", &["trunk"], &routers(1, 6)).host(
        "beta",
        &["trunk"],
        &routers(101, 106),
    );
    let running = support::start(scarce(&world)).await;
    for (transport, addressing, pool) in [
        (
            LinkTransport::Multicast,
            LinkAddressing::None,
            "link_groups",
        ),
        (LinkTransport::Udp, LinkAddressing::None, "link_ports"),
        (LinkTransport::Bridge, LinkAddressing::None, "link_bridges"),
        (LinkTransport::Network, LinkAddressing::Ipv4, "link_ipv4"),
        (LinkTransport::Network, LinkAddressing::Ipv6, "link_ipv6"),
    ] {
        for _ in 0..2 {
            let requests = pairs(6).map(|(a, b)| {
                // On one host where nothing else is scarce.
                let b = if transport == LinkTransport::Network {
                    a % 6 + 1
                } else {
                    b
                };
                CreateVirtualLinkRequest {
                    transport: Some(transport),
                    addressing: Some(addressing),
                    ..link(a, b)
                }
            });
            // Neighbours on one host share routers, which is another conflict: every other one.
            let requests = requests.step_by(2);
            let results = join_all(requests.map(|request| running.link(request))).await;
            let (link, job) = one_of(results, pool);
            running.succeeded(job).await;
            let again = CreateVirtualLinkRequest {
                transport: Some(transport),
                addressing: Some(addressing),
                ..link_of(&link)
            };
            is_conflict(running.link(again).await, pool);
            let job = running.unlink(unlink(link.id)).await.unwrap();
            running.succeeded(job).await;
            assert_eq!(running.links().await, []);
        }
    }
    running.control.shutdown().await;
}

/// Asks for a link between the same two.
fn link_of(other: &VirtualLink) -> CreateVirtualLinkRequest {
    CreateVirtualLinkRequest {
        a: other.a.router,
        b: other.b.router,
        ..link(1, 2)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_links_at_once_share_no_number_and_give_all_back() {
    let world = World::new().host("alpha", &[], &routers(1, 60));
    let running = world.start().await;
    for addressing in [LinkAddressing::Ipv4, LinkAddressing::Ipv6] {
        let requests = (1..=30).map(|at| CreateVirtualLinkRequest {
            addressing: Some(addressing),
            ..link(at * 2 - 1, at * 2)
        });
        let made = join_all(requests.map(|request| running.link(request))).await;
        let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
        let (mut macs, mut addresses, mut carriers) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (link, job) in &made {
            running.succeeded(*job).await;
            carriers.insert(link.carrier.clone());
            for end in [&link.a, &link.b] {
                macs.insert(end.mac.0);
                addresses.insert(end.address.clone().unwrap());
            }
        }
        assert_eq!((macs.len(), addresses.len(), carriers.len()), (60, 60, 30));
        assert_eq!(running.segments().await, [2; 30]);
        let deleted = made.iter().map(|(link, _)| running.unlink(unlink(link.id)));
        for job in join_all(deleted).await {
            running.succeeded(job.unwrap()).await;
        }
        assert_eq!(running.segments().await, [0; 0]);
        // The first is given again.
        let request = CreateVirtualLinkRequest {
            addressing: Some(addressing),
            ..link(1, 2)
        };
        let first = running.linked(request).await;
        assert!(addresses.contains(first.a.address.as_ref().unwrap()));
        let job = running.unlink(unlink(first.id)).await.unwrap();
        running.succeeded(job).await;
    }
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_make_no_sense_are_refused_before_anything_is_touched() {
    let transient = router(4);
    let world = World::new()
        .host("alpha", &["br0"], &[router(1).off(), router(2), transient])
        .host("beta", &["br0"], &[router(3).off()])
        .absent("omega");
    let running = world.start().await;
    let before = running.topology().await.version;
    let ask = |change: &dyn Fn(&mut CreateVirtualLinkRequest)| {
        let mut request = link(1, 3);
        change(&mut request);
        running.link(request)
    };
    is_invalid(ask(&|of| of.b = of.a).await, "b", "two ends");
    is_not_found(ask(&|of| of.a = id(99)).await, "router");
    is_not_found(ask(&|of| of.b = id(99)).await, "router");
    for mtu in [0, 575, 9001, u32::MAX] {
        is_invalid(ask(&|of| of.mtu = Some(mtu)).await, "mtu", "576 to 9000");
    }
    let small = |of: &mut CreateVirtualLinkRequest| {
        (of.mtu, of.addressing) = (Some(1279), Some(LinkAddressing::Ipv6));
    };
    is_invalid(ask(&small).await, "mtu", "1280 to 9000");
    for rate in [0, 8191, 1_000_000_000_001, u64::MAX] {
        let to_b = |of: &mut CreateVirtualLinkRequest| of.bits_per_second_to_b = Some(rate);
        is_invalid(ask(&to_b).await, "bitsPerSecondToB", "8192 to");
        let to_a = |of: &mut CreateVirtualLinkRequest| of.bits_per_second_to_a = Some(rate);
        is_invalid(ask(&to_a).await, "bitsPerSecondToA", "8192 to");
    }
    let wrong = |of: &mut CreateVirtualLinkRequest| {
        (of.bridge, of.transport) = (Some("br0".to_owned()), Some(LinkTransport::Udp));
    };
    is_invalid(ask(&wrong).await, "bridge", "transport bridge only");
    for bridge in ["br0", "br9", "../br0", "br0' onload='x", "\u{0}"] {
        let named = |of: &mut CreateVirtualLinkRequest| of.bridge = Some(bridge.to_owned());
        is_not_supported(ask(&named).await, "not one segment");
    }
    let udp = |of: &mut CreateVirtualLinkRequest| of.transport = Some(LinkTransport::Udp);
    is_not_supported(ask(&udp).await, "transport address of alpha");
    // The test driver plugs nothing into what runs.
    is_not_supported(ask(&|of| of.b = id(2)).await, "whenRunning");
    is_not_supported(ask(&|of| of.a = id(2)).await, "r2 runs");
    let denied = running
        .operations
        .create_virtual_link(&observer(), link(1, 3))
        .await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    assert_eq!(running.topology().await.version, before);
    assert_eq!(running.jobs(ListJobsRequest::default()).await, []);
    assert_eq!(running.links().await, []);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn routers_that_run_and_plug_nothing_are_linked_later_or_restarted() {
    let world = World::new().host("alpha", &[], &[router(1), router(2), router(3).off()]);
    let running = world.start().await;
    let asked = |a, b, when| CreateVirtualLinkRequest {
        when_running: Some(when),
        ..link(a, b)
    };
    let (later, job) = running
        .link(asked(1, 3, WhenRunning::NextStart))
        .await
        .unwrap();
    let job = running.succeeded(job).await;
    assert!(
        job.message.contains("once r1 was started anew"),
        "{}",
        job.message
    );
    assert_eq!(
        (running.nics(1).await.len(), running.nics(3).await.len()),
        (0, 1)
    );
    running
        .succeeded(running.shut_down(shut_down(1)).await.unwrap())
        .await;
    assert_eq!(running.start_router(1).await.unwrap(), RouterState::Running);
    assert_eq!(running.nics(1).await.len(), 1);
    assert_eq!(running.segments().await, [2]);

    let restarted = running.linked(asked(1, 2, WhenRunning::Restart)).await;
    assert_eq!(
        (running.nics(1).await.len(), running.nics(2).await.len()),
        (2, 1)
    );
    for number in [1, 2] {
        assert_eq!(running.router(number).await.state, RouterState::Running);
    }
    is_not_supported(running.unlink(unlink(restarted.id)).await, "whenRunning");
    let how = |link: &VirtualLink, when| DeleteVirtualLinkRequest {
        when_running: Some(when),
        ..unlink(link.id)
    };
    let job = running
        .unlink(how(&restarted, WhenRunning::Restart))
        .await
        .unwrap();
    running.succeeded(job).await;
    assert_eq!(
        (running.nics(1).await.len(), running.nics(2).await.len()),
        (1, 0)
    );
    for number in [1, 2] {
        assert_eq!(running.router(number).await.state, RouterState::Running);
    }
    let job = running
        .unlink(how(&later, WhenRunning::NextStart))
        .await
        .unwrap();
    running.succeeded(job).await;
    // It runs with what it has, until it is started anew.
    assert_eq!(
        (running.nics(1).await.len(), running.nics(3).await.len()),
        (1, 0)
    );
    running
        .succeeded(running.shut_down(shut_down(1)).await.unwrap())
        .await;
    assert_eq!(running.nics(1).await.len(), 0);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_one_job_also_after_a_death_and_no_other_operation() {
    let world = World::new().host("alpha", &[], &routers(1, 4));
    let running = world.start().await;
    let once = |a, b| CreateVirtualLinkRequest {
        request_id: Some("one".to_owned()),
        ..link(a, b)
    };
    let first = running.link(once(1, 2)).await.unwrap();
    assert_eq!(running.link(once(1, 2)).await.unwrap(), first);
    running.succeeded(first.1).await;
    is_invalid(running.link(once(3, 4)).await, "requestId", "used before");
    let other = ShutdownRouterRequest {
        request_id: Some("one".to_owned()),
        ..shut_down(1)
    };
    is_invalid(
        running.shut_down(other).await,
        "requestId",
        "CreateVirtualLink",
    );
    let removed = DeleteVirtualLinkRequest {
        request_id: Some("two".to_owned()),
        ..unlink(first.0.id)
    };
    let job = running.unlink(removed.clone()).await.unwrap();
    running.succeeded(job).await;
    assert_eq!(running.unlink(removed.clone()).await.unwrap(), job);
    let deleted = || DeleteRouterRequest {
        request_id: Some("three".to_owned()),
        ..delete(id(4))
    };
    let gone = running.delete(deleted()).await.unwrap();
    running.succeeded(gone).await;
    running.control.shutdown().await;

    // As if the server had died before the answers were written down.
    forget_answers(&world.data()).await;
    let running = world.start().await;
    assert_eq!(running.link(once(1, 2)).await.unwrap(), first);
    assert_eq!(running.unlink(removed).await.unwrap(), job);
    assert_eq!(running.delete(deleted()).await.unwrap(), gone);
    is_invalid(running.link(once(3, 4)).await, "requestId", "used before");
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn routers_are_started_stopped_and_refused_by_their_state() {
    let world = World::new().host(
        "alpha",
        &[],
        &[router(1), router(2).off(), router(3).paused()],
    );
    let running = world.start().await;
    let (on, caller) = (&running.operations, &operator());
    let reboot = |number| {
        let (router, request_id) = (id(number), None);
        on.reboot_router(caller, RebootRouterRequest { router, request_id })
    };
    let reset = |number| {
        let (router, request_id) = (id(number), None);
        on.reset_router(caller, ResetRouterRequest { router, request_id })
    };
    let destroy = |number| {
        let (router, request_id) = (id(number), None);
        on.destroy_router(caller, DestroyRouterRequest { router, request_id })
    };
    let suspend = |number| {
        let (router, request_id) = (id(number), None);
        on.suspend_router(caller, SuspendRouterRequest { router, request_id })
    };
    let resume = |number| {
        let (router, request_id) = (id(number), None);
        on.resume_router(caller, ResumeRouterRequest { router, request_id })
    };
    // What is so already is done.
    assert_eq!(running.start_router(1).await.unwrap(), RouterState::Running);
    is_conflict(running.start_router(3).await, "is resumed");
    is_conflict(reboot(2).await, "only a running router");
    is_conflict(reboot(3).await, "only a running router");
    is_conflict(reset(2).await, "only a running router");
    is_conflict(suspend(2).await, "only a running router");
    is_conflict(resume(2).await, "only a suspended router");
    is_not_found(reboot(9).await, "router");
    assert_eq!(
        destroy(2).await.unwrap().router.unwrap().state,
        RouterState::ShutOff
    );
    assert_eq!(reboot(1).await.unwrap().router.state, RouterState::Running);
    let reply = reset(1).await.unwrap();
    assert_eq!(reply.router.state, RouterState::Running);
    assert_eq!(
        suspend(1).await.unwrap().router.state,
        RouterState::Suspended
    );
    is_conflict(running.shut_down(shut_down(1)).await, "resume it first");
    let forced = ShutdownRouterRequest {
        force: Some(true),
        deadline_seconds: Some(1),
        ..shut_down(1)
    };
    running
        .succeeded(running.shut_down(forced).await.unwrap())
        .await;
    assert_eq!(running.router(1).await.state, RouterState::ShutOff);
    for seconds in [0, 3601] {
        let request = ShutdownRouterRequest {
            deadline_seconds: Some(seconds),
            ..shut_down(1)
        };
        is_invalid(
            running.shut_down(request).await,
            "deadlineSeconds",
            "1 to 3600",
        );
    }
    assert_eq!(running.start_router(1).await.unwrap(), RouterState::Running);
    let job = running.shut_down(shut_down(1)).await.unwrap();
    let job = running.succeeded(job).await;
    assert_eq!(
        (job.kind, job.source),
        (JobKind::RouterShutdown, Some(host("alpha")))
    );
    assert_eq!(job.message, "r1 has shut down.");
    // Of one that is off nothing is asked.
    running
        .succeeded(running.shut_down(shut_down(1)).await.unwrap())
        .await;
    assert_eq!(
        destroy(3).await.unwrap().router.unwrap().state,
        RouterState::ShutOff
    );
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_router_takes_its_links_along_and_nothing_else() {
    let world = World::new()
        .host("alpha", &[], &[router(1), router(2).off(), router(4).off()])
        .host("beta", &[], &[router(3).off()]);
    let running = world.start().await;
    let later = |a, b| CreateVirtualLinkRequest {
        when_running: Some(WhenRunning::NextStart),
        ..link(a, b)
    };
    running.linked(later(1, 2)).await;
    running.linked(later(3, 1)).await;
    let stays = running.linked(later(2, 4)).await;
    is_conflict(running.delete(delete(id(1))).await, "shut it down first");
    let forced = DeleteRouterRequest {
        force: Some(true),
        ..delete(id(1))
    };
    // Of many that ask for it, one does it.
    let all = join_all((0..4).map(|_| running.delete(forced.clone()))).await;
    let job = one_of(all, "acts on router r1");
    let job = running.succeeded(job).await;
    assert_eq!(job.message, "r1 is deleted, with 2 links.");
    assert_eq!(
        (job.kind, job.router),
        (JobKind::RouterDeletion, Some(id(1)))
    );
    let known: Vec<_> = running
        .routers()
        .await
        .into_iter()
        .map(|of| of.id)
        .collect();
    assert!(!known.contains(&id(1)) && known.len() == 3, "{known:?}");
    assert_eq!(running.links().await, [stays]);
    assert_eq!(running.segments().await, [2]);
    assert_eq!(
        (running.nics(2).await.len(), running.nics(3).await.len()),
        (1, 0)
    );
    is_not_found(running.delete(forced).await, "router");
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_and_interfaces_are_changed_at_once_or_at_the_next_start() {
    let world = World::new().host_with("alpha", &["br0"], &[router(1), router(2).off()], LAN);
    let running = world.start().await;
    let resize = |number, vcpus, mebibytes: Option<u64>| {
        let request = ResizeRouterRequest {
            router: id(number),
            vcpus,
            memory_bytes: mebibytes.map(|of| of << 20),
            request_id: None,
        };
        let operations = &running.operations;
        async move { operations.resize_router(&operator(), request).await }
    };
    let off = resize(2, Some(2), Some(128)).await.unwrap();
    assert_eq!(off.effective, Effective::Now);
    assert_eq!((off.router.vcpus, off.router.memory_bytes), (2, 128 << 20));
    let on = resize(1, None, Some(128)).await.unwrap();
    assert_eq!(on.effective, Effective::NextStart);
    assert_eq!(on.router.memory_bytes, 64 << 20);
    is_invalid(resize(2, None, None).await, "vcpus", "were expected");
    is_invalid(resize(2, Some(0), None).await, "vcpus", "1 to 1024");
    is_invalid(
        resize(2, Some(3), None).await,
        "vcpus",
        "more than alpha has",
    );
    is_invalid(resize(2, None, Some(0)).await, "memoryBytes", "whole MiB");
    is_invalid(
        resize(2, None, Some(4096)).await,
        "memoryBytes",
        "more than alpha has",
    );
    is_not_found(resize(9, Some(1), None).await, "router");

    let attached = running.attach(2, on_lan()).await.unwrap();
    assert_eq!(attached.effective, Effective::Now);
    assert_eq!(attached.router.interfaces.len(), 1);
    let nic = |mac: Option<&str>| NewInterface {
        mac: mac.map(|mac| mac.parse().unwrap()),
        ..on_lan()
    };
    let (mine, free) = (attached.mac.to_string(), "52:54:00:99:00:01");
    is_conflict(
        running.attach(2, nic(Some(&mine))).await,
        "another interface's",
    );
    is_conflict(
        running.attach(1, nic(Some(&mine))).await,
        "another interface's",
    );
    let later = running.attach(1, nic(Some(free))).await.unwrap();
    assert_eq!(later.effective, Effective::NextStart);
    assert_eq!(later.router.interfaces.len(), 0);
    // It is in what it starts with, and nobody reports that.
    is_conflict(
        running.attach(1, nic(Some(free))).await,
        "another interface's",
    );
    // Of many that change a router at once, each change counts.
    let many = join_all((0..8).map(|_| running.attach(2, on_lan()))).await;
    for reply in many {
        reply.unwrap();
    }
    assert_eq!(running.nics(2).await.len(), 9);
    let macs: Vec<_> = running.router(2).await.interfaces;
    for gone in join_all(macs.iter().map(|nic| running.detach(2, nic.mac))).await {
        assert_eq!(gone.unwrap(), Effective::Now);
    }
    assert_eq!(running.nics(2).await.len(), 0);
    is_not_found(running.detach(2, attached.mac).await, "interface");
    assert_eq!(
        running.detach(1, free.parse().unwrap()).await.unwrap(),
        Effective::NextStart
    );

    let with = |change: &dyn Fn(&mut NewInterface)| {
        let mut interface = on_lan();
        change(&mut interface);
        running.attach(2, interface)
    };
    let bridge = || Some("br0".to_owned());
    is_invalid(
        with(&|of| of.bridge = bridge()).await,
        "interface",
        "exactly one",
    );
    is_invalid(
        with(&|of| of.network = None).await,
        "interface",
        "exactly one",
    );
    let unknown = |of: &mut NewInterface| of.network = Some("wan".to_owned());
    is_invalid(with(&unknown).await, "interface.network", "it has lan");
    let unknown = |of: &mut NewInterface| {
        (of.network, of.bridge) = (None, Some("br1".to_owned()));
    };
    is_invalid(with(&unknown).await, "interface.bridge", "it has br0");
    let long = |of: &mut NewInterface| of.network = Some("n".repeat(10_000));
    is_invalid(with(&long).await, "interface.network", "255 bytes");
    for mac in [
        "01:00:5e:00:00:01",
        "ff:ff:ff:ff:ff:ff",
        "00:00:00:00:00:00",
    ] {
        let group = |of: &mut NewInterface| of.mac = Some(mac.parse().unwrap());
        is_invalid(
            with(&group).await,
            "interface.mac",
            "no address of one interface",
        );
    }
    for address in [
        "10.0.0.1",
        "10.0.0.1/33",
        "10.0.0.1/+24",
        "a/24",
        "",
        "fe80::1%1/64",
    ] {
        let wrong = |of: &mut NewInterface| of.addresses = vec![address.to_owned()];
        is_invalid(with(&wrong).await, "interface.addresses", "prefix length");
    }
    assert_eq!(running.nics(2).await.len(), 0);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_acts_on_is_left_alone_and_it_can_be_given_up() {
    let (world, mut old) = held_up();
    old.undo = json!([]);
    let running = world.start_with(&[old]).await;
    // The only turn at alpha is held, so all of these wait.
    let when = Some(WhenRunning::NextStart);
    let request = CreateVirtualLinkRequest {
        when_running: when,
        ..link(1, 2)
    };
    let (wanted, linking) = running.link(request.clone()).await.unwrap();
    let job = running.job(linking).await;
    assert_eq!(
        (job.state, job.phase, job.cancellable),
        (JobState::Queued, JobPhase::Waiting, true)
    );
    for number in [1, 2] {
        let forced = DeleteRouterRequest {
            force: Some(true),
            ..delete(id(number))
        };
        is_conflict(running.delete(forced).await, &linking.to_string());
        is_conflict(
            running.shut_down(shut_down(number)).await,
            &linking.to_string(),
        );
        is_conflict(running.start_router(number).await, &linking.to_string());
        is_conflict(
            running.migrate(cold(number, "beta")).await,
            &linking.to_string(),
        );
        is_conflict(running.attach(number, on_lan()).await, &linking.to_string());
        let mac = mac(number, 0).parse().unwrap();
        is_conflict(running.detach(number, mac).await, &linking.to_string());
        let request = CreateVirtualLinkRequest {
            when_running: when,
            ..link(number, 3)
        };
        is_conflict(running.link(request).await, &linking.to_string());
    }
    is_not_found(running.unlink(unlink(wanted.id)).await, "virtualLink");
    running.cancel(linking).await.unwrap();
    let job = running.ended(linking).await;
    assert_eq!(
        (job.state, &*job.message),
        (JobState::Cancelled, "Cancelled. Nothing was changed.")
    );
    assert_eq!(running.links().await, []);
    // They are free again, and one that waits over a restart is done after it.
    let (wanted, linking) = running.link(request).await.unwrap();
    let stopping = running.shut_down(shut_down(3)).await.unwrap();
    running.control.shutdown().await;
    let running = world.start().await;
    let old = JobId(Uuid::from_u128(9));
    running.job_that_is(old, JobState::CleanupPending).await;
    assert_eq!(running.job(linking).await.state, JobState::Queued);
    is_conflict(running.shut_down(shut_down(2)).await, &linking.to_string());
    running.cancel(old).await.unwrap();
    running.succeeded(linking).await;
    running.succeeded(stopping).await;
    assert_eq!(running.links().await, [wanted]);
    assert_eq!(running.router(3).await.state, RouterState::ShutOff);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_over_a_restart_keeps_what_it_was_given() {
    let world = World::new()
        .host(
            "alpha",
            &["trunk"],
            &[routers(1, 3), vec![router(9).off()]].concat(),
        )
        .host("beta", &["trunk"], &routers(101, 103))
        .absent("omega")
        .one_at_once();
    let settings = || {
        let mut settings = scarce(&world);
        settings.migration.per_host = 1;
        settings
    };
    let mut old = Written::new(9, "omega", "Moving");
    old.undo = json!([]);
    support::start(settings()).await.control.shutdown().await;
    old.write(&world.data()).await;
    let running = support::start(settings()).await;
    let asked = |at, transport| CreateVirtualLinkRequest {
        transport: Some(transport),
        ..link(at, 100 + at)
    };
    let (group, port) = (LinkTransport::Multicast, LinkTransport::Udp);
    let (_, first) = running.link(asked(1, group)).await.unwrap();
    let (_, second) = running.link(asked(2, port)).await.unwrap();
    running.control.shutdown().await;
    let running = support::start(settings()).await;
    is_conflict(running.link(asked(3, group)).await, "link_groups");
    is_conflict(running.link(asked(3, port)).await, "link_ports");
    running.cancel(first).await.unwrap();
    running.ended(first).await;
    let (_, third) = running.link(asked(3, group)).await.unwrap();
    running.cancel(old.id()).await.unwrap();
    running.succeeded(second).await;
    running.succeeded(third).await;
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn routers_are_made_and_each_name_number_and_place_once() {
    let world = World::new()
        .host_with("alpha", &["br0"], &[router(1).off()], LAN)
        .host_with("beta", &[], &[], LAN);
    let mut settings = world.settings();
    settings.migration.memory_overcommit = 1.0;
    let running = support::start(settings).await;
    let image = running.image(|_| {}).await;
    let named = |name: &str| CreateRouterRequest {
        host: Some(host("alpha")),
        ..made_from(image, name)
    };
    // The same name.
    let many = join_all((0..4).map(|_| running.make(named("new")))).await;
    let job = one_of(many, "of the name new");
    assert_eq!(job.kind, JobKind::RouterCreation);
    assert_eq!(
        (job.image, &job.destination),
        (Some(image), &Some(host("alpha")))
    );
    let job = running.succeeded(job.id).await;
    is_conflict(running.make(named("new")).await, "has the name new");
    is_conflict(running.make(named("r1")).await, "has the name r1");
    let made = running
        .routers()
        .await
        .into_iter()
        .find(|of| of.name == "new")
        .unwrap();
    assert_eq!(
        (job.router, made.image, made.state),
        (Some(made.id), Some(image), RouterState::Running)
    );
    // The same MAC address.
    let nic = NewInterface {
        mac: Some("52:54:00:aa:00:01".parse().unwrap()),
        ..on_lan()
    };
    let with_nic = |name: &str| CreateRouterRequest {
        interfaces: vec![nic.clone()],
        ..named(name)
    };
    let many = join_all(["a", "b", "c"].map(|name| running.make(with_nic(name)))).await;
    let job = one_of(many, "another interface's");
    running.succeeded(job.id).await;
    is_conflict(running.make(with_nic("d")).await, "another interface's");
    is_conflict(running.attach(1, nic.clone()).await, "another interface's");
    let twice = CreateRouterRequest {
        interfaces: vec![on_lan(), nic.clone(), nic.clone()],
        ..named("d")
    };
    is_conflict(running.make(twice).await, "another interface's");
    // The last memory: 1024 MiB, of which 128 are taken.
    let large = |name: &str| CreateRouterRequest {
        memory_bytes: Some(600 << 20),
        ..named(name)
    };
    let many = join_all(["e", "f", "g"].map(|name| running.make(large(name)))).await;
    let job = one_of(many, "of 1024 MiB of alpha's memory");
    running.succeeded(job.id).await;
    is_conflict(
        running.make(large("h")).await,
        "of 1024 MiB of alpha's memory",
    );
    // Where nobody says where, it is made where there is room.
    let anywhere = CreateRouterRequest {
        host: None,
        ..large("h")
    };
    let job = running.make(anywhere.clone()).await.unwrap();
    let job = running.succeeded(job.id).await;
    assert_eq!(job.destination, Some(host("beta")));
    let anywhere = CreateRouterRequest {
        name: "i".to_owned(),
        ..anywhere
    };
    is_conflict(running.make(anywhere).await, "can be made on no host");
    // One that is deleted gives all of it back, its disk too.
    let job = running.delete(DeleteRouterRequest {
        force: Some(true),
        ..delete(made.id)
    });
    running.succeeded(job.await.unwrap()).await;
    let job = running.make(named("new")).await.unwrap();
    running.succeeded(job.id).await;
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn routers_that_make_no_sense_are_refused_each_with_its_fault() {
    let world = World::new()
        .host_with("alpha", &["br0"], &[router(1).off()], LAN)
        .absent("omega");
    let running = world.start().await;
    let image = running.image(|_| {}).await;
    let ask = |change: &dyn Fn(&mut CreateRouterRequest)| {
        let mut request = CreateRouterRequest {
            host: Some(host("alpha")),
            ..made_from(image, "new")
        };
        change(&mut request);
        running.make(request)
    };
    let names = [
        "",
        " ",
        "-r",
        ".",
        "..",
        "a/b",
        "../etc",
        "a\\b",
        "it's",
        "\"r\"",
        "<b>r</b>",
        "a&b",
        "r\n",
        "r\u{0}",
        "r 1",
        "rоuter",
        "ｒ１",
        "r\u{200b}1",
        "é",
    ];
    for name in names {
        let named = ask(&|of| of.name = name.to_owned()).await;
        is_invalid(named, "name", "cannot be used");
    }
    let long = ask(&|of| of.name = "r".repeat(10_000)).await.unwrap_err();
    assert!(long.to_string().len() < 400, "{long}");
    is_invalid::<()>(Err(long), "name", "1 to 64");
    is_invalid(ask(&|of| of.name = "r".repeat(65)).await, "name", "1 to 64");
    is_not_found(ask(&|of| of.image = ImageId(Uuid::nil())).await, "image");
    is_not_found(ask(&|of| of.host = Some(host("nowhere"))).await, "host");
    is_conflict(
        ask(&|of| of.host = Some(host("omega"))).await,
        "not in contact",
    );
    is_conflict(
        ask(&|of| of.create_pool = None).await,
        "no storage pool vms",
    );
    is_invalid(ask(&|of| of.vcpus = Some(0)).await, "vcpus", "1 to 1024");
    is_invalid(
        ask(&|of| of.vcpus = Some(3)).await,
        "vcpus",
        "more than alpha has",
    );
    is_invalid(
        ask(&|of| of.memory_bytes = Some(1)).await,
        "memoryBytes",
        "whole MiB",
    );
    is_invalid(
        ask(&|of| of.memory_bytes = Some(2 << 30)).await,
        "memoryBytes",
        "more than",
    );
    is_invalid(
        ask(&|of| of.memory_bytes = Some(u64::MAX << 20)).await,
        "memoryBytes",
        "more",
    );
    is_invalid(
        ask(&|of| of.disk_bytes = Some(512)).await,
        "diskBytes",
        "at least",
    );
    is_invalid(
        ask(&|of| of.tags = vec!["<x>".to_owned()]).await,
        "tags",
        "cannot be used",
    );
    let network = |of: &mut CreateRouterRequest| of.virtual_network = Some("a b".to_owned());
    is_invalid(ask(&network).await, "virtualNetwork", "cannot be used");
    let wan = |of: &mut CreateRouterRequest| {
        of.interfaces = vec![NewInterface {
            network: Some("wan".to_owned()),
            ..NewInterface::default()
        }];
    };
    is_invalid(ask(&wan).await, "interfaces", "no network wan");
    let arguments = |of: &mut CreateRouterRequest| of.kernel_arguments = Some("quiet".to_owned());
    is_invalid(ask(&arguments).await, "kernelArguments", "no kernel");
    let seed = |of: &mut CreateRouterRequest| of.cloud_init = Some(api::CloudInit::default());
    is_invalid(ask(&seed).await, "cloudInit", "not said to read");
    let ready = |of: &mut CreateRouterRequest| of.ready_within_seconds = Some(3601);
    is_invalid(ask(&ready).await, "readyWithinSeconds", "0 to 3600");
    let driver = |of: &mut CreateRouterRequest| of.driver = Some(api::Driver::Qemu);
    is_not_supported(ask(&driver).await, "needs qemu");
    let arm = running
        .image(|of| of.architecture = "aarch64".to_owned())
        .await;
    is_not_supported(ask(&|of| of.image = arm).await, "aarch64");
    running.maintain("alpha", Some("new disks")).await;
    is_conflict(ask(&|_| {}).await, "in maintenance: new disks");
    let denied = running
        .operations
        .create_router(&observer(), made_from(image, "x"))
        .await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    assert_eq!(running.routers().await.len(), 1);
    assert_eq!(running.jobs(ListJobsRequest::default()).await, []);
    running.control.shutdown().await;
}
