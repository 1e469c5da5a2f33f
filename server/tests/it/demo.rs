//! The demo fleet behind the server's router, started once for all tests of this binary.

use api::{Caller, Channel, Operations};
use axum::{Router, body::Body};
use control::{Control, Settings};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use server::web::{Web, router};
use std::{
    future::Future,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Where everything runs: a test's own runtime would take the fleet with it at its end.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

static DEMO: LazyLock<Demo> = LazyLock::new(|| {
    let data = TempDir::new().unwrap();
    RUNTIME.block_on(async {
        let mut settings = Settings::demo(data.path().to_owned()).unwrap();
        settings.images.import = Some(import_directory(data.path()));
        let control = Control::start(settings).await.unwrap();
        let operations = control.operations();
        let mut ready = control.ready();
        let web = Web::new(
            operations.clone(),
            control.ready(),
            CancellationToken::new(),
        );
        tokio::time::timeout(Duration::from_mins(1), ready.wait_for(|ready| *ready))
            .await
            .expect("the demo is ready within a minute")
            .unwrap();
        Demo {
            router: router(web),
            operations,
            _control: control,
            _data: data,
        }
    })
});

/// The demo fleet and the router over it.
pub struct Demo {
    pub router: Router,
    pub operations: Arc<dyn Operations>,
    _control: Control,
    _data: TempDir,
}

/// A directory with one file to import, and links out of it and to it.
fn import_directory(data: &Path) -> PathBuf {
    let directory = data.join("import");
    std::fs::create_dir_all(directory.join("disks")).unwrap();
    std::fs::write(directory.join("disks/small.raw"), vec![3; 4096]).unwrap();
    symlink("disks/small.raw", directory.join("link.raw")).unwrap();
    symlink("disks", directory.join("linked")).unwrap();
    directory
}

/// Runs a test over the demo.
pub fn with_demo<F: Future<Output = ()>>(test: impl FnOnce(&'static Demo) -> F) {
    // One at a time: rendering pages in-process from several threads that each block on the runtime
    // was seen to hang; a server under parallel requests was not.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let demo = LazyLock::force(&DEMO);
    RUNTIME.block_on(test(demo));
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Demo {
    pub fn caller() -> Caller {
        Caller::local(Channel::Internal)
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path).header("host", "localhost:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A running router that this test alone acts on.
    pub async fn router_of_its_own(&self, number: usize) -> api::Router {
        let request = api::ListRoutersRequest::default();
        let routers = self
            .operations
            .list_routers(&Self::caller(), request)
            .await
            .unwrap()
            .routers;
        let mut routers: Vec<_> = routers
            .into_iter()
            .filter(|router| {
                matches!(
                    router.state,
                    api::RouterState::Running | api::RouterState::Suspended
                )
            })
            .collect();
        routers.sort_by_key(|router| router.id);
        routers.swap_remove(number)
    }
}
