//! Hosts of libvirt's test driver, with the routers that a test needs, and what is asked of jobs.

use crate::support::{PATIENCE, Running, absent, directory, observer, operator, start};
use api::{
    CancelJobRequest, Error, Event, GetJobRequest, HostId, Job, JobId, JobState, ListJobsRequest,
    Router, RouterId, RouterState, SetHostMaintenanceRequest,
};
use control::{HostSettings, Settings, Uri};
use std::{fmt::Write as _, path::Path};
use tempfile::TempDir;
use uuid::Uuid;

/// Hosts as the test driver reads them, and a data directory.
pub struct World {
    pub directory: TempDir,
    pub hosts: Vec<(&'static str, Uri)>,
    pub absent: Option<&'static str>,
    pub per_host: usize,
}

/// What a router of a [`World`] is.
#[derive(Clone)]
pub struct Spec {
    pub number: u8,
    pub name: String,
    /// As libvirt counts; none for one that runs.
    pub state: Option<u8>,
    pub mebibytes: u32,
    pub vcpus: u32,
    pub interfaces: String,
}

pub fn router(number: u8) -> Spec {
    Spec {
        number,
        name: format!("r{number}"),
        state: None,
        mebibytes: 64,
        vcpus: 1,
        interfaces: String::new(),
    }
}

impl Spec {
    pub fn off(mut self) -> Self {
        self.state = Some(5);
        self
    }

    pub fn paused(mut self) -> Self {
        self.state = Some(3);
        self
    }

    pub fn on(mut self, kind: &str, source: &str) -> Self {
        let nic = self.interfaces.matches("<mac ").count();
        let _ = write!(
            self.interfaces,
            "<interface type='{kind}'><mac address='{}'/>{source}</interface>",
            mac(self.number, nic)
        );
        self
    }

    pub fn bridge(self, name: &str) -> Self {
        self.on("bridge", &format!("<source bridge='{name}'/>"))
    }

    pub fn udp(self, local: &str, remote: &str) -> Self {
        let source = format!(
            "<source address='{remote}' port='5559'><local address='{local}' port='5559'/></source>"
        );
        self.on("udp", &source)
    }

    pub fn xml(&self) -> String {
        format!(
            "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>{state}\
             <name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>{memory}</memory>\
             <vcpu>{vcpus}</vcpu><os><type>hvm</type></os><devices>{interfaces}</devices></domain>",
            state = (self.state)
                .map(|state| format!("<test:runstate>{state}</test:runstate>"))
                .unwrap_or_default(),
            name = self.name,
            uuid = id(self.number),
            memory = self.mebibytes,
            vcpus = self.vcpus,
            interfaces = self.interfaces,
        )
    }
}

pub fn id(number: u8) -> RouterId {
    RouterId(Uuid::from_bytes([number; 16]))
}

pub fn mac(number: u8, nic: usize) -> String {
    format!("52:54:00:00:{number:02x}:{nic:02x}")
}

pub fn host(name: &str) -> HostId {
    name.parse().unwrap()
}

impl World {
    pub fn new() -> Self {
        Self {
            directory: directory(),
            hosts: Vec::new(),
            absent: None,
            per_host: 2,
        }
    }

    /// A host with 2 processors and 1 GiB, which has these bridges.
    pub fn host(self, name: &'static str, bridges: &[&str], routers: &[Spec]) -> Self {
        self.host_with(name, bridges, routers, "")
    }

    /// The same with more in its description.
    pub fn host_with(
        mut self,
        name: &'static str,
        bridges: &[&str],
        routers: &[Spec],
        more: &str,
    ) -> Self {
        let mut xml = "<node><cpu><mhz>1000</mhz><model>x86_64</model><active>2</active>\
             <nodes>1</nodes><sockets>1</sockets><cores>2</cores><threads>1</threads></cpu>\
             <memory>1048576</memory>\
             <interface type='ethernet' name='eth0'><start mode='onboot'/>\
             <mac address='3c:fd:fe:00:00:01'/></interface>"
            .to_owned();
        for (port, bridge) in bridges.iter().enumerate() {
            let _ = write!(
                xml,
                "<interface type='bridge' name='{bridge}'><start mode='onboot'/><bridge>\
                 <interface type='ethernet' name='port{port}'>\
                 <mac address='3c:fd:fe:00:01:{port:02x}'/></interface></bridge></interface>"
            );
        }
        for router in routers {
            xml += &router.xml();
        }
        xml += more;
        xml += "</node>";
        let file = self.directory.path().join(format!("{name}.xml"));
        std::fs::write(&file, xml).unwrap();
        let uri = Uri::test_file(&file);
        self.hosts.push((name, uri));
        self
    }

    /// A host that nobody reaches.
    pub fn absent(mut self, name: &'static str) -> Self {
        self.absent = Some(name);
        self
    }

    pub fn one_at_once(mut self) -> Self {
        self.per_host = 1;
        self
    }

    pub fn data(&self) -> std::path::PathBuf {
        self.directory.path().join("data")
    }

    pub async fn start(&self) -> Running {
        start(self.settings()).await
    }

    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.data());
        settings.migration.per_host = self.per_host;
        for (name, uri) in &self.hosts {
            let host = HostSettings::new(host(name), uri.clone());
            settings.hosts.push(host);
        }
        if let Some(name) = self.absent {
            let host = HostSettings::new(host(name), absent("test"));
            settings.hosts.push(host);
        }
        settings
    }
}

impl Running {
    /// The job when it has ended.
    pub async fn ended(&self, job: JobId) -> Job {
        let request = GetJobRequest {
            job,
            wait_seconds: Some(50),
        };
        let reply = self.operations.get_job(&observer(), request).await;
        let job = reply.unwrap().job;
        assert!(job.state.is_over(), "{job:#?}");
        job
    }

    pub async fn job(&self, job: JobId) -> Job {
        let request = GetJobRequest {
            job,
            wait_seconds: None,
        };
        let reply = self.operations.get_job(&observer(), request).await;
        reply.unwrap().job
    }

    /// The job once it is in that state.
    pub async fn job_that_is(&self, job: JobId, state: JobState) -> Job {
        let waiting = async {
            loop {
                let now = self.job(job).await;
                if now.state == state {
                    return now;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("job {job} did not become {state:?}"))
    }

    pub async fn cancel(&self, job: JobId) -> Result<Job, Error> {
        let request = CancelJobRequest {
            job,
            request_id: None,
        };
        let reply = self.operations.cancel_job(&operator(), request).await;
        reply.map(|reply| reply.job)
    }

    pub async fn jobs(&self, request: ListJobsRequest) -> Vec<JobId> {
        let reply = self.operations.list_jobs(&observer(), request).await;
        reply.unwrap().jobs.iter().map(|job| job.id).collect()
    }

    pub async fn router(&self, number: u8) -> Router {
        let routers = self.routers().await;
        let found = routers.into_iter().find(|known| known.id == id(number));
        found.unwrap_or_else(|| panic!("no router {number}"))
    }

    /// The host and state of a router.
    pub async fn at(&self, number: u8) -> (String, RouterState) {
        let router = self.router(number).await;
        (router.host.to_string(), router.state)
    }

    pub async fn maintain(&self, name: &str, reason: Option<&str>) -> api::Host {
        let request = SetHostMaintenanceRequest {
            host: host(name),
            maintenance: reason.is_some(),
            reason: reason.map(str::to_owned),
            request_id: None,
        };
        let caller = operator();
        let reply = self.operations.set_host_maintenance(&caller, request);
        reply.await.unwrap().host
    }
}

pub fn at(host: &str, state: RouterState) -> (String, RouterState) {
    (host.to_owned(), state)
}

pub fn said(event: &Event, what: &str) -> bool {
    match event {
        Event::Topology { changes, .. } => {
            changes.iter().any(|change| change.summary.contains(what))
        }
        _ => false,
    }
}

pub async fn forget_answers(data: &Path) {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("vms.db"));
    let mut database = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    let forgotten = sqlx::query("UPDATE act SET finished_ms = NULL, outcome = NULL, result = NULL")
        .execute(&mut database)
        .await
        .unwrap();
    assert!(forgotten.rows_affected() > 0);
    database.close().await.unwrap();
}
