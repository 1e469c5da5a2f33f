//! The server as a process, from the first check to the last stream.
//!
//! ```text
//! bind the port ─▶ open the data directory ─▶ start control ─▶ serve ── SIGINT, SIGTERM ─▶ Ending
//!   Ending: streams end, requests are finished (≤ 2.5 s), control stops (≤ 2.5 s); a second
//!   signal ends at once
//! ```
//!
//! Whatever fails before serving is one [`StartError`], a sentence.

use crate::{
    config::{Config, Data},
    web::{self, Web},
};
use control::{Control, Settings};
use std::{
    future::{Future, IntoFuture as _},
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How long requests may take to finish, and control to stop: half of what the end may take.
const HALF_OF_THE_END: Duration = Duration::from_millis(2500);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("{}", listen_sentence(*.0, .1))]
    Listen(SocketAddr, #[source] io::Error),
    /// The data directory cannot be used.
    #[error(
        "The data directory {} cannot be used ({source}). Name another with --data, or make it \
         writable for this user.",
        path.display()
    )]
    Data {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Control did not start.
    #[error("{0}.")]
    Control(#[from] control::StartError),
    /// The system refused something that always works.
    #[error("The server cannot run: {0}.")]
    System(#[from] io::Error),
}

fn listen_sentence(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "{address} is in use by another program: end that one, or choose another address with \
             --listen."
        ),
        io::ErrorKind::PermissionDenied => format!(
            "{address} may not be used by this user: choose a port from 1024 on with --listen."
        ),
        _ => format!("{address} cannot be listened on: {error}. Choose another with --listen."),
    }
}

/// Runs a server until it is told to end.
pub async fn run(config: Config, demo: bool) -> Result<(), StartError> {
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| StartError::Listen(config.listen, error))?;
    let address = listener.local_addr()?;
    // Declared before control, so that it goes after it.
    let data = DataDirectory::open(config.data)?;

    let mut settings = if demo {
        Settings::demo(data.path().to_owned())?
    } else {
        let mut settings = Settings::new(data.path().to_owned());
        settings.hosts = config.hosts;
        settings.links = config.links;
        settings
    };
    settings.sample_interval = config.sample_interval;
    settings.facts_interval = config.facts_interval;
    settings.relist_interval = config.relist_interval;
    settings.lldp_interval = config.lldp_interval;
    settings.migration = config.migration;
    settings.virtual_links = config.virtual_links;
    settings.use_kvm = config.use_kvm;
    settings.images = config.images;
    let control = tokio::select! {
        control = Control::start(settings) => control?,
        () = signals.next() => return Ok(()),
    };

    let shutdown = CancellationToken::new();
    let web = Web::new(control.operations(), control.ready(), shutdown.clone());
    let service = web::router(web).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service)
        .with_graceful_shutdown(shutdown.clone().cancelled_owned())
        .into_future();
    let serving = tokio::spawn(serving);
    announce(address);

    signals.next().await;
    tracing::info!("ending; a second signal ends at once");
    shutdown.cancel();
    tokio::select! {
        () = signals.next() => {}
        () = end(serving, control) => {}
    }
    data.close();
    Ok(())
}

async fn end(serving: impl Future, control: Control) {
    if timeout(HALF_OF_THE_END, serving).await.is_err() {
        tracing::warn!("requests were cut off");
    }
    if timeout(HALF_OF_THE_END, control.shutdown()).await.is_err() {
        tracing::warn!("hosts were left in the middle of calls");
    }
}

/// Says where the server is, on standard output, for people and for programs that wait for it.
fn announce(address: SocketAddr) {
    let mut out = io::stdout();
    // Nobody has to read it.
    let _ = writeln!(out, "VMS listens on http://{address}").and_then(|()| out.flush());
}

/// The signals that end the server.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// The terminal was closed.
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// The directory for databases. Only this user may look into one that is made here.
#[derive(Debug)]
pub enum DataDirectory {
    /// It is kept.
    Kept(PathBuf),
    /// It goes with the server.
    Temporary(TempDir),
}

impl DataDirectory {
    /// Makes it where missing, and sees that it can be written to.
    pub fn open(data: Data) -> Result<Self, StartError> {
        match data {
            Data::Temporary => tempfile::Builder::new()
                .prefix("vms-demo-")
                .tempdir()
                .map(Self::Temporary)
                .map_err(|source| StartError::Data {
                    path: std::env::temp_dir(),
                    source,
                }),
            Data::Directory(path) => {
                make(&path).map_err(|source| StartError::Data {
                    path: path.clone(),
                    source,
                })?;
                Ok(Self::Kept(path))
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(directory) => directory.path(),
        }
    }

    fn close(self) {
        if let Self::Temporary(directory) = self {
            let path = directory.path().to_owned();
            if let Err(error) = directory.close() {
                tracing::warn!(
                    "the temporary directory {} is left: {error}",
                    path.display()
                );
            }
        }
    }
}

fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)?;
    // Whether one may write is known only by writing.
    tempfile::tempfile_in(path).map(drop)
}
