//! Moving routers between hosts of libvirt's test driver: cold, in their turn, cancelled, and over a
//! restart.

use crate::{
    support::{Running, administrator, demo, directory, next, observer, operator},
    world::{Spec, World, at, forget_answers, host, id, router, said},
};
use api::{
    CheckMigrationRequest, Error, GetJobRequest, HostId, Job, JobId, JobKind, JobPhase, JobState,
    ListHostsRequest, ListJobsRequest, MigrateRouterRequest, MigrationCheck, MigrationMode,
    RemoveHostRequest, RouterState, SuspendRouterRequest, Timestamp,
};
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

impl World {
    /// Starts with a job that is written down already, as an earlier server left it.
    pub async fn start_with(&self, jobs: &[Written]) -> Running {
        self.start().await.control.shutdown().await;
        for job in jobs {
            job.write(&self.data()).await;
        }
        self.start().await
    }
}

/// A cold move of a router from alpha, as an earlier server wrote it down.
pub struct Written {
    router: u8,
    to: &'static str,
    stage: &'static str,
    state: JobState,
    was_active: bool,
    pub undo: Value,
    follow_up: Value,
}

impl Written {
    pub fn new(router: u8, to: &'static str, stage: &'static str) -> Self {
        Self {
            router,
            to,
            stage,
            state: JobState::Running,
            was_active: true,
            undo: json!([
                {"host": "alpha", "what": {"SetAutostart": true}},
                {"host": "alpha", "what": "Start"},
                {"host": to, "what": "Undefine"},
            ]),
            follow_up: json!([{"host": "alpha", "what": "Undefine"}]),
        }
    }

    pub fn id(&self) -> JobId {
        JobId(Uuid::from_u128(self.router.into()))
    }

    pub async fn write(&self, data: &Path) {
        use sqlx::Connection;
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let name = format!("r{}", self.router);
        let job = Job {
            id: self.id(),
            kind: JobKind::ColdMigration,
            state: self.state,
            phase: JobPhase::Transferring,
            message: "It is under way.".to_owned(),
            progress: None,
            router: Some(id(self.router)),
            router_name: Some(name.clone()),
            source: Some(host("alpha")),
            destination: Some(host(self.to)),
            requested_by: "pat".to_owned(),
            created_at: at,
            started_at: Some(at),
            changed_at: at,
            finished_at: None,
            cancellable: true,
            cancel_requested: false,
            migration: None,
            error: None,
            pending: Vec::new(),
            steps: Vec::new(),
            image: None,
            link: None,
        };
        let plan = json!({
            "request": {"router": id(self.router), "destination": self.to, "requestId": "of old"},
            "router": id(self.router),
            "name": name,
            "driver": "test",
            "from": "alpha",
            "to": self.to,
            "mode": "cold",
            "was_active": self.was_active,
            "autostart": false,
            "stage": self.stage,
            "undo": self.undo,
            "follow_up": self.follow_up,
            "outcome": null,
        });
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("vms.db"));
        let mut database = sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap();
        sqlx::query("INSERT INTO job (id, created_ms, over, job, plan) VALUES (?, ?, 0, ?, ?)")
            .bind(self.id().to_string())
            .bind(at.as_millisecond())
            .bind(serde_json::to_string(&job).unwrap())
            .bind(plan.to_string())
            .execute(&mut database)
            .await
            .unwrap();
        database.close().await.unwrap();
    }
}

pub fn cold(router: u8, to: &str) -> MigrateRouterRequest {
    MigrateRouterRequest {
        router: id(router),
        destination: host(to),
        mode: Some(MigrationMode::Cold),
        bandwidth_mebibytes_per_second: None,
        maximum_downtime_milliseconds: None,
        shutdown_seconds: Some(5),
        request_id: None,
    }
}

impl Running {
    pub async fn migrate(&self, request: MigrateRouterRequest) -> Result<Job, Error> {
        let reply = self.operations.migrate_router(&operator(), request).await;
        reply.map(|reply| reply.job)
    }

    /// What stands in the way of a cold move: which checks, and the sentences.
    async fn obstacles(&self, router: u8, to: &str) -> (Vec<MigrationCheck>, String) {
        let request = CheckMigrationRequest {
            router: id(router),
            destination: Some(host(to)),
            mode: Some(MigrationMode::Cold),
        };
        let reply = self.operations.check_migration(&observer(), request).await;
        let verdict = reply.unwrap().verdicts.remove(0);
        let checks = verdict.obstacles().map(|found| found.check).collect();
        let said: Vec<_> = verdict
            .obstacles()
            .map(|found| found.what.clone())
            .collect();
        (checks, said.join(" "))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_move_brings_a_router_over_and_leaves_nothing_behind() {
    let world = World::new()
        .host("alpha", &["br0"], &[router(1).bridge("br0")])
        .host("beta", &["br0"], &[]);
    let running = world.start().await;
    let version = running.topology().await.version;
    let mut events = running
        .operations
        .subscribe(&observer(), Some(version))
        .await
        .unwrap();
    let job = running.migrate(cold(1, "beta")).await.unwrap();
    assert_eq!(job.kind, JobKind::ColdMigration);
    let job = running.ended(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
    assert_eq!(job.phase, JobPhase::Done);
    assert_eq!(job.requested_by, "pat");
    assert!(job.error.is_none() && job.pending.is_empty() && !job.cancellable);
    assert!(job.started_at >= Some(job.created_at) && job.finished_at >= job.started_at);
    let done = job.migration.unwrap();
    assert!(done.downtime_milliseconds.is_some());
    let steps: Vec<_> = job.steps.iter().map(|step| step.message.as_str()).collect();
    assert!(
        steps.contains(&"Done: remove the definition of r1 from alpha."),
        "{steps:#?}"
    );

    let moved = running.router(1).await;
    assert_eq!(
        (moved.host, moved.state, moved.migrating_to),
        (host("beta"), RouterState::Running, None)
    );
    // Both sentences are told: that it is on its way, and where it went.
    next(&mut events, |event| said(event, "is being moved to beta")).await;
    next(&mut events, |event| said(event, "moved from alpha to beta")).await;
    // And back again: nothing of it was left at alpha, where its name would be taken.
    let back = running.migrate(cold(1, "alpha")).await.unwrap();
    assert_eq!(running.ended(back.id).await.state, JobState::Succeeded);
    assert_eq!(running.at(1).await, at("alpha", RouterState::Running));
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_is_off_is_off_afterwards() {
    let world = World::new()
        .host("alpha", &[], &[router(1).off()])
        .host("beta", &[], &[]);
    let running = world.start().await;
    let job = running.migrate(cold(1, "beta")).await.unwrap();
    let job = running.ended(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
    assert_eq!(job.migration.unwrap().downtime_milliseconds, None);
    assert_eq!(running.at(1).await, at("beta", RouterState::ShutOff));
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_end_of_a_udp_link_is_led_to_where_the_router_is() {
    let world = World::new()
        .host("alpha", &[], &[router(1).udp("10.0.0.1", "10.0.0.3")])
        .host("beta", &[], &[router(2).udp("10.0.0.2", "10.0.0.9")])
        .host("gamma", &[], &[router(3).udp("10.0.0.3", "10.0.0.1")]);
    let running = world.start().await;
    // Nothing tells at which address tunnels of beta end, but the tunnel that is there; which has
    // the port.
    let (checks, what) = running.obstacles(1, "beta").await;
    assert_eq!(checks, [MigrationCheck::Link]);
    assert!(what.contains("listens at 10.0.0.2:5559 already"), "{what}");
    running.control.shutdown().await;

    let other = router(2).on(
        "udp",
        "<source address='10.0.0.9' port='5600'><local address='10.0.0.2' port='5600'/></source>",
    );
    let world = World::new()
        .host("alpha", &[], &[router(1).udp("10.0.0.1", "10.0.0.3")])
        .host("beta", &[], &[other])
        .host("gamma", &[], &[router(3).udp("10.0.0.3", "10.0.0.1")]);
    let running = world.start().await;
    let linked = async || {
        let topology = running.topology().await;
        topology
            .segments
            .iter()
            .any(|segment| segment.members.len() == 2)
    };
    assert!(linked().await);
    let job = running.migrate(cold(1, "beta")).await.unwrap();
    let job = running.ended(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
    let done = job.migration.unwrap();
    let [interruption] = &done.interruptions[..] else {
        panic!("{done:#?}");
    };
    assert_eq!(interruption.peer, Some(id(3)));
    assert!(interruption.message.contains("10.0.0.2:5559"));
    assert_eq!(running.at(1).await, at("beta", RouterState::Running));
    assert_eq!(running.at(3).await, at("gamma", RouterState::Running));
    // They reach each other again.
    assert!(linked().await);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_said_and_nothing_is_done() {
    let network = router(5).on("network", "<source network='lan'/>");
    let large = Spec {
        mebibytes: 900,
        ..router(2)
    };
    let wide = Spec {
        vcpus: 16,
        ..router(3)
    };
    let taken = Spec {
        name: "taken".to_owned(),
        ..router(4)
    };
    let there = Spec {
        name: "taken".to_owned(),
        mebibytes: 200,
        vcpus: 2,
        ..router(9)
    };
    let routers = [router(1).bridge("br0"), large, wide, taken, network];
    let world = World::new()
        .host("alpha", &["br0"], &routers)
        .host("beta", &[], &[there])
        .host("gamma", &["br0"], &[])
        .absent("omega");
    let running = world.start().await;
    for (number, to, check, sentence) in [
        (
            1,
            "beta",
            MigrationCheck::Network,
            "no bridge br0 (52:54:00:00:01:00) on beta",
        ),
        (
            5,
            "beta",
            MigrationCheck::Network,
            "no network lan (52:54:00:00:05:00) on beta",
        ),
        (
            2,
            "beta",
            MigrationCheck::Memory,
            "1100 of 1024 MiB of beta's memory",
        ),
        (
            3,
            "beta",
            MigrationCheck::Processors,
            "18 virtual processors on beta's 2",
        ),
        (
            4,
            "beta",
            MigrationCheck::Identity,
            "another router that is called taken",
        ),
        (
            1,
            "omega",
            MigrationCheck::Contact,
            "omega is not in contact",
        ),
    ] {
        let (checks, what) = running.obstacles(number, to).await;
        assert!(checks.contains(&check), "{check:?} of {checks:?}");
        assert!(what.contains(sentence), "{what}");
        let error = running.migrate(cold(number, to)).await.unwrap_err();
        assert!(matches!(error, Error::Conflict(_)), "{error:?}");
        assert!(error.to_string().contains(sentence), "{error}");
    }
    running.maintain("gamma", Some("new disks")).await;
    let (checks, what) = running.obstacles(1, "gamma").await;
    assert_eq!(checks, [MigrationCheck::Maintenance]);
    assert!(
        what.contains("gamma is in maintenance: new disks"),
        "{what}"
    );
    running.maintain("gamma", None).await;
    assert_eq!(running.obstacles(1, "gamma").await.0, []);

    // The test driver has no live migration, and nothing is moved to where it is.
    let live = MigrateRouterRequest {
        mode: Some(MigrationMode::Live),
        ..cold(1, "gamma")
    };
    let error = running.migrate(live).await.unwrap_err();
    assert!(matches!(error, Error::NotSupported(_)), "{error:?}");
    let error = running.migrate(cold(1, "alpha")).await.unwrap_err();
    let Error::InvalidArgument(detail) = error else {
        panic!("{error:?}");
    };
    assert_eq!(detail.element, "destination");
    let error = running.migrate(cold(1, "nowhere")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error:?}");
    let observer = observer();
    let denied = running
        .operations
        .migrate_router(&observer, cold(1, "gamma"));
    let error = denied.await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    assert_eq!(running.jobs(ListJobsRequest::default()).await, []);
    running.control.shutdown().await;
}

/// A world in which a job of old holds the only turn at alpha: it waits for a host that is away.
pub fn held_up() -> (World, Written) {
    let world = World::new()
        .host(
            "alpha",
            &[],
            &[router(1), router(2), router(3), router(9).off()],
        )
        .host("beta", &[], &[])
        .host("gamma", &[], &[])
        .absent("omega")
        .one_at_once();
    let mut old = Written::new(9, "omega", "Moving");
    old.undo = json!([]);
    (world, old)
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_wait_for_their_turn_in_order_and_a_router_has_one() {
    let (world, old) = held_up();
    let running = world.start_with(&[old]).await;
    let old = running
        .job_that_is(JobId(Uuid::from_u128(9)), JobState::CleanupPending)
        .await;
    assert!(old.message.contains("until omega answers"), "{old:#?}");
    let first = running.migrate(cold(1, "beta")).await.unwrap();
    let second = running.migrate(cold(2, "gamma")).await.unwrap();
    let third = running.migrate(cold(3, "beta")).await.unwrap();
    for job in [&first, &second, &third] {
        assert_eq!(job.state, JobState::Queued);
        assert_eq!(job.phase, JobPhase::Waiting);
    }
    // One job a router; and nothing else is done to it meanwhile.
    let error = running.migrate(cold(1, "gamma")).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    assert!(error.to_string().contains(&first.id.to_string()), "{error}");
    let suspend = SuspendRouterRequest {
        router: id(1),
        request_id: None,
    };
    let error = running
        .operations
        .suspend_router(&operator(), suspend)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");

    let listed = |router, host: Option<&str>, unfinished, limit| ListJobsRequest {
        router,
        host: host.map(|name| name.parse().unwrap()),
        unfinished,
        limit,
    };
    let all = running.jobs(ListJobsRequest::default()).await;
    assert_eq!(all, [third.id, second.id, first.id, old.id]);
    let some = running.jobs(listed(None, None, None, Some(2))).await;
    assert_eq!(some, [third.id, second.id]);
    let some = running.jobs(listed(Some(id(2)), None, None, None)).await;
    assert_eq!(some, [second.id]);
    let some = running.jobs(listed(None, Some("beta"), None, None)).await;
    assert_eq!(some, [third.id, first.id]);

    // One that is given up before its turn did nothing.
    running.cancel(second.id).await.unwrap();
    let second = running.ended(second.id).await;
    assert_eq!(second.state, JobState::Cancelled, "{second:#?}");
    assert_eq!(second.started_at, None);
    assert_eq!(running.at(2).await, at("alpha", RouterState::Running));
    let unfinished = running.jobs(listed(None, None, Some(true), None)).await;
    assert_eq!(unfinished, [third.id, first.id, old.id]);

    // Nobody waits for omega any longer: the others have their turns, one after the other.
    running.cancel(old.id).await.unwrap();
    let old = running.ended(old.id).await;
    assert_eq!(old.state, JobState::Interrupted, "{old:#?}");
    assert_eq!(running.at(9).await, at("alpha", RouterState::ShutOff));
    let [first, third] = [running.ended(first.id).await, running.ended(third.id).await];
    for job in [&first, &third] {
        assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
    }
    assert!(third.started_at >= first.finished_at || third.started_at > first.started_at);
    assert_eq!(running.at(1).await, at("beta", RouterState::Running));
    let error = running.cancel(first.id).await;
    assert!(
        error.is_ok(),
        "one that is over is left as it is: {error:?}"
    );
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_on_after_a_restart_and_a_request_id_is_one_job() {
    let (world, old) = held_up();
    let running = world.start_with(&[old]).await;
    let old = JobId(Uuid::from_u128(9));
    let with_id = || MigrateRouterRequest {
        request_id: Some("one".to_owned()),
        ..cold(1, "beta")
    };
    let first = running.migrate(with_id()).await.unwrap();
    let second = running.migrate(cold(2, "beta")).await.unwrap();
    assert_eq!(running.migrate(with_id()).await.unwrap().id, first.id);
    running.control.shutdown().await;
    // As if the server had died before the answer was written down.
    forget_answers(&world.data()).await;

    let running = world.start().await;
    running.job_that_is(old, JobState::CleanupPending).await;
    for job in [first.id, second.id] {
        assert_eq!(running.job(job).await.state, JobState::Queued);
    }
    assert_eq!(running.migrate(with_id()).await.unwrap().id, first.id);
    let request = GetJobRequest {
        job: first.id,
        wait_seconds: Some(1),
    };
    let waited = std::time::Instant::now();
    let reply = running.operations.get_job(&observer(), request).await;
    assert_eq!(reply.unwrap().job.state, JobState::Queued);
    assert!(waited.elapsed() >= std::time::Duration::from_secs(1));
    running.cancel(old).await.unwrap();
    for job in [first.id, second.id] {
        let job = running.ended(job).await;
        assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
    }
    running.control.shutdown().await;

    // What is over is over, also after another restart; its router is where the world has it.
    let running = world.start().await;
    assert_eq!(running.job(first.id).await.state, JobState::Succeeded);
    assert_eq!(running.migrate(with_id()).await.unwrap().id, first.id);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_stays_while_a_job_acts_on_it() {
    let (mut world, old) = held_up();
    world.absent = None;
    let running = world.start().await;
    let request = api::RegisterHostRequest {
        host: host("omega"),
        name: None,
        site: None,
        endpoints: vec![api::EndpointAddress {
            driver: api::Driver::Test,
            transport: api::Transport::Tcp,
            address: Some("127.0.0.1".to_owned()),
            port: Some(1),
            user: None,
            key: None,
        }],
        request_id: None,
    };
    let registered = running
        .operations
        .register_host(&administrator(), request)
        .await;
    registered.unwrap();
    running.control.shutdown().await;
    old.write(&world.data()).await;

    let running = world.start().await;
    running
        .job_that_is(old.id(), JobState::CleanupPending)
        .await;
    let remove = || RemoveHostRequest {
        host: host("omega"),
        request_id: None,
    };
    let administrator = administrator();
    let removed = running.operations.remove_host(&administrator, remove());
    let error = removed.await.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    assert!(error.to_string().contains("acts on host omega"), "{error}");
    running.cancel(old.id()).await.unwrap();
    running.ended(old.id()).await;
    let removed = running.operations.remove_host(&administrator, remove());
    removed.await.unwrap();
    running.control.shutdown().await;
}

/// How a job of old ends, by what the hosts have when the server starts again.
async fn recovered(
    stage: &'static str,
    here: &[Spec],
    there: &[Spec],
    change: impl Fn(&mut Written),
) -> (Running, Job, World) {
    let world = World::new()
        .host("alpha", &[], here)
        .host("beta", &[], there);
    let mut old = Written::new(1, "beta", stage);
    change(&mut old);
    let running = world.start_with(&[old]).await;
    let job = running.ended(JobId(Uuid::from_u128(1))).await;
    (running, job, world)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_before_a_restart_is_taken_back() {
    // Stopped at its source, and half defined at its destination.
    let (here, there) = ([router(1).off()], [router(1).off()]);
    let (running, job, _world) = recovered("Begun", &here, &there, |_| {}).await;
    assert_eq!(job.state, JobState::Interrupted, "{job:#?}");
    let router = running.router(1).await;
    assert_eq!(
        (router.host, router.state, router.autostart),
        (host("alpha"), RouterState::Running, true)
    );
    assert!(
        is_free(&running, "beta").await,
        "what was defined there is gone"
    );
    // And that it starts with its host goes with it.
    let job = running.migrate(cold(1, "beta")).await.unwrap();
    let job = running.ended(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
    let router = running.router(1).await;
    assert_eq!((router.host, router.autostart), (host("beta"), true));
    running.control.shutdown().await;
}

/// Whether a host has no definition of router 1: it can be moved there, and there is nothing to
/// replace.
async fn is_free(running: &Running, to: &str) -> bool {
    let request = CheckMigrationRequest {
        router: id(1),
        destination: Some(host(to)),
        mode: Some(MigrationMode::Cold),
    };
    let reply = running
        .operations
        .check_migration(&observer(), request)
        .await;
    let findings = reply.unwrap().verdicts.remove(0).findings;
    let mut identity = findings
        .iter()
        .filter(|found| found.check == MigrationCheck::Identity);
    identity.any(|found| found.what.contains("are free"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_moving_before_a_restart_is_where_the_hosts_say() {
    // It runs at the destination: the source lets go.
    let (here, there) = ([router(1).off()], [router(1)]);
    let (running, job, _world) = recovered("Moving", &here, &there, |_| {}).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
    assert_eq!(running.at(1).await, at("beta", RouterState::Running));
    assert!(is_free(&running, "alpha").await);
    running.control.shutdown().await;

    // It runs at the source: nothing happened.
    let (running, job, _world) = recovered("Moving", &[router(1)], &[], |_| {}).await;
    assert_eq!(job.state, JobState::Interrupted, "{job:#?}");
    assert_eq!(running.at(1).await, at("alpha", RouterState::Running));
    running.control.shutdown().await;

    // It came to the destination and was shut down there: that is all that is left of it.
    let there = [router(1).off()];
    let (running, job, _world) = recovered("Moving", &[], &there, |_| {}).await;
    assert_eq!(job.state, JobState::Failed, "{job:#?}");
    assert!(job.message.contains("defined on beta"), "{}", job.message);
    assert_eq!(running.at(1).await, at("beta", RouterState::ShutOff));
    running.control.shutdown().await;

    // libvirt paused it to move it, and forgot it.
    let here = [router(1).paused()];
    let (running, job, _world) = recovered("Moving", &here, &[], |old| {
        old.undo = json!([{"host": "alpha", "what": "Resume"}]);
    })
    .await;
    assert_eq!(job.state, JobState::Interrupted, "{job:#?}");
    assert_eq!(running.at(1).await, at("alpha", RouterState::Running));
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_before_a_restart_goes_on() {
    let (here, there) = ([router(1).off()], [router(1).off()]);
    let (running, job, _world) = recovered("Committed", &here, &there, |_| {}).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
    assert_eq!(running.at(1).await, at("beta", RouterState::Running));
    assert!(is_free(&running, "alpha").await);
    running.control.shutdown().await;

    // It is started already.
    let there = [router(1)];
    let (running, job, _world) = recovered("Committed", &here, &there, |_| {}).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
    assert_eq!(running.at(1).await, at("beta", RouterState::Running));
    running.control.shutdown().await;

    // The destination lost it meanwhile: the source keeps what would be the last of it.
    for was_active in [true, false] {
        let (running, job, _world) = recovered("Committed", &here, &[], |old| {
            old.was_active = was_active;
            if !was_active {
                old.undo = json!([{"host": "beta", "what": "Undefine"}]);
            }
        })
        .await;
        assert_eq!(job.state, JobState::Interrupted, "{job:#?}");
        let state = if was_active {
            RouterState::Running
        } else {
            RouterState::ShutOff
        };
        assert_eq!(running.at(1).await, at("alpha", state));
        running.control.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_committed_move_waits_for_its_destination_until_it_is_given_up() {
    let world = World::new()
        .host("alpha", &[], &[router(1).off()])
        .absent("omega");
    let old = Written::new(1, "omega", "Committed");
    let job = old.id();
    let running = world.start_with(&[old]).await;
    let waiting = running.job_that_is(job, JobState::CleanupPending).await;
    assert!(waiting.cancellable, "{waiting:#?}");
    assert_eq!(waiting.pending.len(), 1);
    running.cancel(job).await.unwrap();
    let job = running.ended(job).await;
    assert_eq!(job.state, JobState::Failed, "{job:#?}");
    // Nothing is taken from the source while nobody knows what the destination has.
    assert_eq!(running.at(1).await, at("alpha", RouterState::ShutOff));
    let steps: Vec<_> = job.steps.iter().map(|step| step.message.as_str()).collect();
    assert!(
        steps.contains(&"Left undone: remove the definition of r1 from alpha"),
        "{steps:#?}"
    );
    running.control.shutdown().await;
}

/// The demo's hosts forget everything when the server ends: what was moved is where it was at first.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_the_demo_are_kept_over_a_restart_and_so_is_maintenance() {
    let data = directory();
    let running = demo(data.path()).await;
    let maintained = running.topology().await.hosts[0].id.to_string();
    let version = running.topology().await.version;
    let mut events = running
        .operations
        .subscribe(&observer(), Some(version))
        .await
        .unwrap();
    let shown = running.maintain(&maintained, Some("new disks")).await;
    assert!(shown.maintenance);
    assert_eq!(shown.maintenance_reason.as_deref(), Some("new disks"));
    next(&mut events, |event| {
        said(event, "is in maintenance: new disks")
    })
    .await;

    // The first move that is possible.
    let mut moved = None;
    for router in running.routers().await {
        let request = CheckMigrationRequest {
            router: router.id,
            destination: None,
            mode: Some(MigrationMode::Cold),
        };
        let reply = running
            .operations
            .check_migration(&observer(), request)
            .await;
        let verdicts = reply.unwrap().verdicts;
        let to_maintained = |host: &HostId| host.as_str() == maintained;
        assert!(
            verdicts
                .iter()
                .all(|verdict| !verdict.is_possible() || !to_maintained(&verdict.host))
        );
        if let Some(verdict) = verdicts.iter().find(|verdict| verdict.is_possible()) {
            let request = MigrateRouterRequest {
                router: router.id,
                ..cold(0, verdict.host.as_str())
            };
            let job = running.migrate(request).await.unwrap();
            let job = running.ended(job.id).await;
            assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
            moved = Some((job, router));
            break;
        }
    }
    let (job, router) = moved.expect("something can be moved");
    running.control.shutdown().await;

    let running = demo(data.path()).await;
    assert_eq!(running.job(job.id).await, job);
    let now = running.routers().await;
    let now = now.iter().find(|known| known.id == router.id).unwrap();
    assert_eq!((&now.host, now.state), (&router.host, router.state));
    let reply = running
        .operations
        .list_hosts(&observer(), ListHostsRequest {})
        .await;
    let hosts = reply.unwrap().hosts;
    for host in &hosts {
        assert_eq!(
            host.maintenance,
            host.id.as_str() == maintained,
            "{}",
            host.id
        );
    }
    running.maintain(&maintained, None).await;
    running.control.shutdown().await;
}
