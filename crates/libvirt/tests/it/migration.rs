//! Moving domains between hosts. The test driver cannot do that: these run against two QEMU hosts
//! that reach each other by the URI that the second is named by,
//! `VMS_TEST_QEMU_URI=qemu+tcp://a/system VMS_TEST_QEMU_PEER_URI=qemu+tcp://b/system cargo test -p
//! libvirt -- --ignored migration`.

use std::time::Duration;

use libvirt::{
    Connection, DomainState, DomainXml, ErrorKind, Event, JobOperation, JobState, Migration, Uri,
};
use uuid::Uuid;

use crate::fleet::{EDGE, connect, host, qemu, wait_for};

/// A guest that does nothing, in memory that is not empty: the loader fills some 30 MiB of it, so
/// that a slow migration takes its time.
///
/// libvirt 9.0 says `-no-acpi` for a guest without it, which newer QEMUs do not know.
const GUEST: &str = "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <memory unit='MiB'>128</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <qemu:commandline>
    <qemu:arg value='-device'/>
    <qemu:arg value='loader,file=/usr/bin/qemu-system-x86_64,addr=0x1000000,force-raw=on'/>
  </qemu:commandline>
</domain>";

/// Two hosts, and a guest that runs on the first.
struct Pair {
    from: Connection,
    to: Connection,
    guest: Uuid,
    peer: Uri,
}

impl Pair {
    async fn with_guest(number: u128) -> Self {
        let peer = std::env::var("VMS_TEST_QEMU_PEER_URI").unwrap();
        let pair = Self {
            from: qemu().await,
            to: connect("VMS_TEST_QEMU_PEER_URI").await,
            guest: Uuid::from_u128(0x5a3c1e70_0000_4000_8000_000000000d00 + number),
            peer: Uri::parse(&peer).unwrap(),
        };
        pair.clean();
        let mut guest = DomainXml::parse(GUEST).unwrap();
        guest.name = format!("vms-test-{number}");
        guest.uuid = Some(pair.guest);
        let host = virt::connect::Connect::open(Some(&pair.from.uri().to_string())).unwrap();
        host.define_domain_xml(&guest.to_xml())
            .unwrap()
            .create()
            .unwrap();
        pair
    }

    /// Leaves nothing of the guest on either host.
    fn clean(&self) {
        for connection in [&self.from, &self.to] {
            let host = virt::connect::Connect::open(Some(&connection.uri().to_string())).unwrap();
            if let Ok(domain) = host.lookup_domain_by_uuid(self.guest) {
                let _ = domain.destroy();
                let _ = domain.undefine();
            }
        }
    }

    async fn states(&self) -> [Option<DomainState>; 2] {
        let state = async |connection: &Connection| {
            let domain = connection.domain(self.guest).await.unwrap();
            domain.map(|domain| domain.state)
        };
        [state(&self.from).await, state(&self.to).await]
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.clean();
    }
}

const RUNNING: Option<DomainState> = Some(DomainState::Running);
const OFF: Option<DomainState> = Some(DomainState::ShutOff);

#[tokio::test]
#[ignore = "needs two QEMU hosts, named by VMS_TEST_QEMU_URI and VMS_TEST_QEMU_PEER_URI"]
async fn a_migration_moves_a_guest_and_says_what_it_did() {
    let pair = Pair::with_guest(1).await;
    assert_eq!(pair.from.job_progress(pair.guest).await, Ok(None));
    let mut migration = Migration::peer_to_peer(pair.peer.clone());
    migration.max_downtime_ms = Some(500);
    let mut events = pair.from.events().await.unwrap();
    pair.from.migrate(pair.guest, &migration).await.unwrap();
    wait_for(&mut events, |event| {
        matches!(event, Event::MigrationIteration { uuid, iteration: 1, .. } if *uuid == pair.guest)
    })
    .await;
    wait_for(&mut events, |event| {
        matches!(event, Event::JobCompleted { uuid, error: None, .. } if *uuid == pair.guest)
    })
    .await;
    assert_eq!(pair.states().await, [OFF, RUNNING]);
    let done = pair.to.completed_job(pair.guest).await.unwrap().unwrap();
    assert_eq!(done.state, JobState::Completed);
    assert_eq!(done.operation, JobOperation::MigrationIn);
    assert!(done.memory.total_bytes >= Some(128 << 20), "{done:?}");
    assert!(
        done.downtime_ms.is_some() && done.elapsed_ms.is_some(),
        "{done:?}"
    );
    assert_eq!(pair.to.job_progress(pair.guest).await, Ok(None));
}

#[tokio::test]
#[ignore = "needs two QEMU hosts, named by VMS_TEST_QEMU_URI and VMS_TEST_QEMU_PEER_URI"]
async fn a_managed_migration_moves_a_guest_and_forgets_it_at_the_source() {
    let pair = Pair::with_guest(2).await;
    let mut migration = Migration::managed(pair.to.clone());
    migration.undefine_source = true;
    migration.paused = true;
    let mut definition = pair.from.migratable_definition(pair.guest).await.unwrap();
    definition.title = Some("Moved".to_owned());
    migration.xml = Some(definition.clone());
    migration.persistent_xml = Some(definition);
    pair.from.migrate(pair.guest, &migration).await.unwrap();
    let paused = Some(DomainState::Paused);
    assert_eq!(pair.states().await, [None, paused]);
    let moved = pair.to.domain(pair.guest).await.unwrap().unwrap();
    assert_eq!(moved.definition.title.as_deref(), Some("Moved"));
}

#[tokio::test]
#[ignore = "needs two QEMU hosts, named by VMS_TEST_QEMU_URI and VMS_TEST_QEMU_PEER_URI"]
async fn a_slow_migration_is_watched_and_aborted() {
    let pair = Pair::with_guest(3).await;
    let mut migration = Migration::peer_to_peer(pair.peer.clone());
    migration.bandwidth_mib_per_second = Some(1);
    migration.max_downtime_ms = Some(1);
    let watch = async {
        loop {
            let job = pair.from.job_progress(pair.guest).await.unwrap();
            if let Some(job) = job
                && job.memory.remaining_bytes > Some(0)
            {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let abort = async {
        let job = watch.await;
        pair.from.abort_job(pair.guest).await.unwrap();
        job
    };
    let (migrated, job) = tokio::join!(pair.from.migrate(pair.guest, &migration), abort);
    let error = migrated.unwrap_err();
    assert!(error.is_abort(), "{error}");
    assert_eq!(job.operation, JobOperation::MigrationOut);
    assert!(job.memory.total_bytes > job.memory.remaining_bytes);
    assert_eq!(pair.states().await, [RUNNING, None]);
    let again = pair.from.abort_job(pair.guest).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict, "{again}");
}

#[tokio::test]
#[ignore = "needs two QEMU hosts, named by VMS_TEST_QEMU_URI and VMS_TEST_QEMU_PEER_URI"]
async fn a_migration_ends_by_post_copy() {
    let pair = Pair::with_guest(4).await;
    let mut migration = Migration::peer_to_peer(pair.peer.clone());
    migration.post_copy = true;
    migration.bandwidth_mib_per_second = Some(1);
    migration.max_downtime_ms = Some(1);
    let switch = async {
        // Refused until the migration has begun.
        while pair.from.start_post_copy(pair.guest).await.is_err() {
            assert_eq!(pair.states().await[0], RUNNING, "it was too fast");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (migrated, ()) = tokio::join!(pair.from.migrate(pair.guest, &migration), switch);
    migrated.unwrap();
    assert_eq!(pair.states().await, [OFF, RUNNING]);
}

#[tokio::test]
#[ignore = "needs two QEMU hosts, named by VMS_TEST_QEMU_URI and VMS_TEST_QEMU_PEER_URI"]
async fn a_migration_to_nowhere_leaves_the_guest_where_it_was() {
    let pair = Pair::with_guest(5).await;
    let nowhere = Uri::parse("qemu+tcp://127.0.0.1:9/system").unwrap();
    let migration = Migration::peer_to_peer(nowhere);
    let error = pair.from.migrate(pair.guest, &migration).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let sentence = error.to_string();
    assert!(
        sentence.starts_with("qemu+tcp://127.0.0.1:9/system (from "),
        "{sentence}"
    );
    assert_eq!(pair.states().await, [RUNNING, None]);
    assert!(!pair.from.is_lost());
    pair.from.set_migration_speed(pair.guest, 10).await.unwrap();
    pair.from.set_max_downtime(pair.guest, 10).await.unwrap();
}

#[tokio::test]
async fn the_test_driver_is_never_asked() {
    let (one, two) = (host().await, host().await);
    let peer = Migration::peer_to_peer(two.connection.uri().clone());
    let managed = Migration::managed(two.connection.clone());
    let qemu = Migration::peer_to_peer(Uri::parse("qemu+tcp://h/system").unwrap());
    let errors = [
        one.connection.migrate(EDGE, &peer).await.unwrap_err(),
        one.connection.migrate(EDGE, &managed).await.unwrap_err(),
        one.connection.migrate(EDGE, &qemu).await.unwrap_err(),
        one.connection.job_progress(EDGE).await.unwrap_err(),
        one.connection.completed_job(EDGE).await.unwrap_err(),
        one.connection.abort_job(EDGE).await.unwrap_err(),
        one.connection.start_post_copy(EDGE).await.unwrap_err(),
        one.connection.set_max_downtime(EDGE, 1).await.unwrap_err(),
        one.connection
            .set_migration_speed(EDGE, 1)
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
    }
}
