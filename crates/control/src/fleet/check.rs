//! Trying an endpoint, step by step, with each explained in plain words. Nothing is registered, and
//! the connection is closed again.

use super::{Way, line::OPEN_DEADLINE};
use api::{CheckOutcome, CheckStep, CheckStepKind, DriverCapability};
use libvirt::{Capability, Connection, Error, ErrorKind, Transport, Uri};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a name may take to be resolved, and a port to answer.
const REACH_DEADLINE: Duration = Duration::from_secs(5);

/// How far the way to an endpoint goes.
#[derive(Debug)]
pub(crate) struct Checked {
    pub steps: Vec<CheckStep>,
    pub capabilities: Vec<DriverCapability>,
}

/// The steps done so far.
struct Steps {
    done: Vec<CheckStep>,
    since: Instant,
}

impl Steps {
    fn add(&mut self, step: CheckStepKind, outcome: CheckOutcome, explanation: impl Into<String>) {
        self.done.push(CheckStep {
            step,
            outcome,
            explanation: explanation.into(),
            milliseconds: self.since.elapsed().as_secs_f64() * 1e3,
        });
        self.since = Instant::now();
    }

    fn passed(&mut self, step: CheckStepKind, explanation: impl Into<String>) {
        self.add(step, CheckOutcome::Passed, explanation);
    }

    fn failed(&mut self, step: CheckStepKind, explanation: impl Into<String>) {
        self.add(step, CheckOutcome::Failed, explanation);
    }
}

/// Tries an endpoint. `complaint` is what is wrong with its key; `known` tells which registered host
/// has a machine's UUID.
pub(crate) async fn check(
    way: &Way,
    complaint: Option<String>,
    known: impl Fn(Uuid) -> Option<String>,
) -> Checked {
    let mut steps = Steps {
        done: Vec::new(),
        since: Instant::now(),
    };
    let connection = open(way, complaint, &mut steps).await;
    let mut capabilities = Vec::new();
    if let Some(connection) = connection {
        if ask(&connection, &mut steps, known).await.is_some() {
            capabilities = table(way.uri.driver());
        }
        if let Err(error) = connection.close().await {
            tracing::debug!(%error, "a connection that was tried does not close");
        }
    }
    Checked {
        steps: steps.done,
        capabilities,
    }
}

/// From the address to an open connection.
async fn open(way: &Way, complaint: Option<String>, steps: &mut Steps) -> Option<Connection> {
    let uri = &way.uri;
    if let Some(complaint) = complaint {
        steps.failed(CheckStepKind::Address, capital(&complaint) + ".");
        return None;
    }
    if uri.transport() == Transport::Tcp {
        steps.add(
            CheckStepKind::Address,
            CheckOutcome::Warning,
            format!(
                "{uri} can be used, but TCP neither encrypts nor asks who comes: only in a network \
                 that nobody else reaches. Prefer ssh or tls."
            ),
        );
    } else {
        steps.passed(CheckStepKind::Address, format!("{uri} can be used."));
    }
    reach(uri, steps).await?;
    match way.open("check", 1).await {
        Ok(connection) => {
            let explanation = match uri.transport() {
                Transport::Local => "The daemon of this machine accepts us.",
                Transport::Ssh => {
                    "The host's key is known, it accepts ours, and its libvirt daemon answers."
                }
                Transport::Tls => "Both certificates are good, and the libvirt daemon answers.",
                Transport::Tcp => {
                    "The libvirt daemon answers; it asked for no proof of who we are."
                }
            };
            steps.passed(CheckStepKind::Authenticate, explanation);
            Some(connection)
        }
        Err(error) => {
            steps.failed(CheckStepKind::Authenticate, explain(&error));
            None
        }
    }
}

/// From a name to a port that answers.
async fn reach(uri: &Uri, steps: &mut Steps) -> Option<()> {
    let Some(host) = uri.host() else {
        let here = "It is this machine: there is no name to resolve.";
        steps.add(CheckStepKind::Resolve, CheckOutcome::Skipped, here);
        let here = "It is this machine: there is no network between.";
        steps.add(CheckStepKind::Connect, CheckOutcome::Skipped, here);
        return Some(());
    };
    let is_ssh = uri.transport() == Transport::Ssh;
    let addresses = match libvirt::resolve(uri, REACH_DEADLINE).await {
        Ok(addresses) => addresses,
        Err(_) if is_ssh => {
            steps.add(
                CheckStepKind::Resolve,
                CheckOutcome::Warning,
                format!(
                    "The name {host} has no address here. That is well if it stands in the \
                     configuration of ssh."
                ),
            );
            let later = "ssh will find the way itself.";
            steps.add(CheckStepKind::Connect, CheckOutcome::Skipped, later);
            return Some(());
        }
        Err(error) => {
            steps.failed(CheckStepKind::Resolve, explain(&error));
            return None;
        }
    };
    let listed: Vec<_> = addresses.iter().map(|a| a.ip().to_string()).collect();
    let listed = listed.join(", ");
    steps.passed(
        CheckStepKind::Resolve,
        if listed == host.trim_start_matches('[').trim_end_matches(']') {
            format!("{host} is an address already.")
        } else {
            format!("{host} is {listed}.")
        },
    );
    match libvirt::connect(&addresses, REACH_DEADLINE).await {
        Ok(address) => {
            steps.passed(CheckStepKind::Connect, format!("{address} answers."));
            Some(())
        }
        // A jump host may reach what this machine does not.
        Err(error) if is_ssh => {
            let explanation = format!(
                "{} That is well if ssh goes by a jump host.",
                silence(&error)
            );
            steps.add(CheckStepKind::Connect, CheckOutcome::Warning, explanation);
            Some(())
        }
        Err(error) => {
            steps.failed(CheckStepKind::Connect, silence(&error));
            None
        }
    }
}

/// What the endpoint says of itself.
async fn ask(
    connection: &Connection,
    steps: &mut Steps,
    known: impl Fn(Uuid) -> Option<String>,
) -> Option<()> {
    let told = async {
        let hostname = connection.hostname().await?;
        let versions = connection.versions().await?;
        Ok::<_, Error>((hostname, versions))
    };
    let (hostname, versions) = match told.await {
        Ok(told) => told,
        Err(error) => {
            steps.failed(CheckStepKind::Version, explain(&error));
            return None;
        }
    };
    let hypervisor = versions.hypervisor.map_or_else(
        || versions.kind.clone(),
        |version| format!("{} {version}", versions.kind),
    );
    steps.passed(
        CheckStepKind::Version,
        format!(
            "It calls itself {hostname} and runs {hypervisor} under libvirt {}.",
            versions.libvirt
        ),
    );
    match connection.host_uuid().await {
        Ok(None) => {
            let none = "Its driver tells no UUID of the machine.";
            steps.add(CheckStepKind::Identity, CheckOutcome::Skipped, none);
        }
        Ok(Some(uuid)) => match known(uuid) {
            None => steps.passed(
                CheckStepKind::Identity,
                format!("No registered host has this machine's UUID, {uuid}."),
            ),
            Some(host) => steps.add(
                CheckStepKind::Identity,
                CheckOutcome::Warning,
                format!(
                    "The host {host} has the same UUID, {uuid}: if it is the same machine, register \
                     this as another endpoint of it; if not, give one of them a UUID of its own \
                     (host_uuid in libvirtd.conf)."
                ),
            ),
        },
        Err(error) => steps.failed(CheckStepKind::Identity, explain(&error)),
    }
    Some(())
}

fn table(driver: libvirt::Driver) -> Vec<DriverCapability> {
    (Capability::ALL.into_iter())
        .map(|capability| DriverCapability {
            name: capability.description().to_owned(),
            supported: driver.supports(capability),
        })
        .collect()
}

/// Why no address answers: each is named in the reason already.
fn silence(error: &Error) -> String {
    match error {
        Error::Unreachable { reason, advice, .. } => format!("{}. {advice}", capital(reason)),
        _ => explain(error),
    }
}

/// What an error means for whoever tries a host for the first time.
fn explain(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Deadline => format!(
            "It took the connection and then said nothing for {} s: the daemon hangs, or something \
             else listens there.",
            OPEN_DEADLINE.as_secs()
        ),
        _ => error.to_string(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
