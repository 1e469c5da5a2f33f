//! A control over the demo fleet, or over what a test needs.

use api::{
    Caller, Channel, Event, EventStream, GetTopologyReply, GetTopologyRequest, HostState,
    ListHostsRequest, ListRoutersRequest, Operations, Role, Router, RouterState,
};
use control::{Control, HostSettings, Settings, Uri};
use futures_util::StreamExt;
use std::{path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

/// Far longer than anything here takes: it ends a test that hangs, and measures nothing.
pub const PATIENCE: Duration = Duration::from_mins(1);

pub struct Running {
    pub control: Control,
    pub operations: Arc<dyn Operations>,
}

pub fn operator() -> Caller {
    Caller {
        name: "pat".to_owned(),
        role: Role::Operator,
        channel: Channel::Soap,
        address: None,
    }
}

pub fn administrator() -> Caller {
    Caller {
        role: Role::Administrator,
        ..operator()
    }
}

pub fn observer() -> Caller {
    Caller {
        role: Role::Observer,
        ..operator()
    }
}

pub async fn start(settings: Settings) -> Running {
    let control = Control::start(settings).await.unwrap();
    let mut ready = control.ready();
    let tried = tokio::time::timeout(PATIENCE, ready.wait_for(|ready| *ready));
    tried
        .await
        .expect("ready in time")
        .expect("the control is there");
    Running {
        operations: control.operations(),
        control,
    }
}

pub async fn demo(data: &Path) -> Running {
    let mut settings = Settings::demo(data.to_owned()).unwrap();
    settings.sample_interval = Duration::from_secs(1);
    start(settings).await
}

pub fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// How a daemon with this driver would be reached, if it were there: nothing listens at its port.
pub fn absent(driver: &str) -> Uri {
    // Bound and given back: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let path = if driver == "test" {
        "default"
    } else {
        "system"
    };
    Uri::parse(&format!("{driver}+tcp://127.0.0.1:{port}/{path}")).unwrap()
}

/// Settings with one host that is not there.
pub fn absent_host(data: &Path) -> Settings {
    let mut settings = Settings::new(data.to_owned());
    let host = HostSettings::new("absent".parse().unwrap(), absent("test"));
    settings.hosts.push(host);
    settings
}

impl Running {
    pub async fn topology(&self) -> Arc<GetTopologyReply> {
        let request = GetTopologyRequest::default();
        self.operations
            .get_topology(&observer(), request)
            .await
            .unwrap()
    }

    pub async fn routers(&self) -> Vec<Router> {
        let request = ListRoutersRequest::default();
        let reply = self.operations.list_routers(&observer(), request).await;
        reply.unwrap().routers
    }

    pub async fn router_that_is(&self, state: RouterState) -> Router {
        let routers = self.routers().await;
        let found = routers.into_iter().find(|router| router.state == state);
        found.unwrap_or_else(|| panic!("no router is {}", state.as_str()))
    }

    pub async fn host_states(&self) -> Vec<HostState> {
        let reply = self
            .operations
            .list_hosts(&observer(), ListHostsRequest {})
            .await;
        reply.unwrap().hosts.iter().map(|host| host.state).collect()
    }
}

/// The next event that fits.
pub async fn next(stream: &mut EventStream, fits: impl Fn(&Event) -> bool) -> Event {
    let found = async {
        loop {
            let event = stream.next().await.expect("the stream goes on");
            if fits(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .expect("an event that fits")
}
