//! Whether a router can be moved, and where to: everything that decides it, looked at beforehand.
//!
//! Nothing is changed. What is known (contact, segments, room) comes from the topology; what only the
//! hosts know (machines, processors, files, disks) is asked of them, all hosts at once, each within
//! the deadlines of its calls, so that one that hangs holds no other verdict up.
//!
//! - `place`: what the topology says; `hosts`: what the hosts say.
//!
//! **Room.** A destination is given no more than its policy: the memory of all routers that run there,
//! together, at most [`Policy::memory_overcommit`] times its memory, and their virtual processors at
//! most [`Policy::vcpu_overcommit`] times its processors.

mod hosts;
mod place;

pub(crate) use place::{claimed, free_share, room};

use super::links;
use crate::{
    discovery::{self, Sources},
    fleet::can,
    service::{State, errors, translate},
};
use api::{
    CheckMigrationReply, Error, FindingLevel, HostId, MigrationCheck, MigrationFinding,
    MigrationMode, MigrationVerdict, RouterId, Timestamp,
};
use futures_util::future::join_all;
use libvirt::{Connection, DomainXml};
use std::{sync::Arc, time::Duration};

/// How long one host may take to answer all that it is asked.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a warning takes from a host's score.
const WARNING: f64 = 0.1;

/// What a destination is given at most, and how long a migration may stand still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Memory of running routers, as a multiple of the host's.
    pub memory_overcommit: f64,
    /// Virtual processors of running routers, as a multiple of the host's processors.
    pub vcpu_overcommit: f64,
    /// How long a live migration may move nothing.
    pub stall: Duration,
}

/// A router that is to be moved, and all that is known of it.
pub(super) struct Subject<'a> {
    state: &'a State,
    topology: &'a model::Topology,
    sources: &'a Sources,
    router: &'a model::Router,
    mode: MigrationMode,
    /// What the source host says; why not, if it does not.
    source: Result<Source, String>,
}

/// What the source host says.
pub(super) struct Source {
    connection: Connection,
    /// As it would be started at the destination, or as it runs.
    definition: DomainXml,
}

/// What was found of one destination.
#[derive(Default)]
pub(crate) struct Findings(Vec<MigrationFinding>);

/// One verdict.
pub(crate) struct Checked {
    /// Where the router is.
    pub source: model::HostId,
    pub verdict: MigrationVerdict,
}

/// How a router is moved if nobody says: live where that is possible.
pub(crate) fn mode_of(router: &model::Router) -> MigrationMode {
    if can(router.domain.driver, libvirt::Capability::Migrate) && router.domain.state.is_active() {
        MigrationMode::Live
    } else {
        MigrationMode::Cold
    }
}

/// A verdict for one destination, or for every other host.
pub(crate) async fn all(
    state: &State,
    id: RouterId,
    destination: Option<&HostId>,
    mode: Option<MigrationMode>,
) -> Result<CheckMigrationReply, Error> {
    let view = state.view();
    let router = Arc::clone(view.find(id)?);
    let mode = mode.unwrap_or_else(|| mode_of(&router));
    let mut to: Vec<_> = match destination {
        Some(destination) => {
            let host = translate::host_id(destination);
            if !view.topology().hosts.contains_key(&host) {
                return Err(errors::no_host(destination, view.topology()));
            }
            vec![host]
        }
        None => view.topology().hosts.keys().cloned().collect(),
    };
    if destination.is_some() && to.first() == Some(&router.host) {
        return Err(Error::invalid(
            "destination",
            format!(
                "{} is on {} already: name another host",
                router.domain.name, router.host
            ),
        ));
    }
    to.retain(|host| *host != router.host);
    let mut verdicts = verdicts(state, view.topology(), &router, mode, &to).await?;
    verdicts.sort_by(|a, b| {
        let score = |verdict: &MigrationVerdict| verdict.score.unwrap_or(-1.0);
        (a.is_possible(), score(a))
            .partial_cmp(&(b.is_possible(), score(b)))
            .unwrap_or(std::cmp::Ordering::Equal)
            .reverse()
            .then_with(|| a.host.cmp(&b.host))
    });
    Ok(CheckMigrationReply {
        as_of: Timestamp::now(),
        router: id,
        source: translate::id(&router.host),
        mode,
        verdicts,
    })
}

/// The verdict for one destination.
pub(crate) async fn one(
    state: &State,
    router: model::RouterId,
    to: &model::HostId,
    mode: MigrationMode,
) -> Result<Checked, Error> {
    let id = translate::id(to);
    let reply = all(state, translate::router_id(router), Some(&id), Some(mode)).await?;
    let source = translate::host_id(&reply.source);
    let verdict = reply.verdicts.into_iter().next();
    let verdict = verdict.ok_or_else(|| errors::no_element("host", &id))?;
    Ok(Checked { source, verdict })
}

async fn verdicts(
    state: &State,
    topology: &model::Topology,
    router: &model::Router,
    mode: MigrationMode,
    to: &[model::HostId],
) -> Result<Vec<MigrationVerdict>, Error> {
    let sources = discovery::tell(&state.updates).await?;
    let subject = Subject {
        state,
        topology,
        sources: &sources,
        router,
        mode,
        source: source(state, topology, router, mode).await,
    };
    Ok(join_all(to.iter().map(|host| subject.verdict(host))).await)
}

/// What the source host says of the router.
async fn source(
    state: &State,
    topology: &model::Topology,
    router: &model::Router,
    mode: MigrationMode,
) -> Result<Source, String> {
    if !topology.is_router_current(router) {
        let host = topology.hosts.get(&router.host);
        let why = host.and_then(|host| host.message.clone());
        return Err(why.unwrap_or_else(|| "it is not in contact".to_owned()));
    }
    let (host, driver, id) = (&router.host, router.domain.driver, router.domain.id.0);
    let connection = state.fleet.connection(host, driver).await;
    let connection = connection.map_err(|_| "it is not in contact".to_owned())?;
    let definition = match mode {
        MigrationMode::Live => connection.migratable_definition(id).await,
        MigrationMode::Cold => connection.inactive_definition(id).await,
    };
    let definition = definition.map_err(|error| error.to_string())?;
    Ok(Source {
        connection,
        definition,
    })
}

impl Subject<'_> {
    async fn verdict(&self, to: &model::HostId) -> MigrationVerdict {
        let mut findings = Findings::default();
        place::look(self, to, &mut findings);
        let is_worth_asking = !findings.has_obstacle(&[
            MigrationCheck::Contact,
            MigrationCheck::Driver,
            MigrationCheck::State,
        ]);
        if let (true, Ok(source)) = (is_worth_asking, &self.source) {
            let asked = hosts::ask(self, source, to, &mut findings);
            if tokio::time::timeout(PATIENCE, asked).await.is_err() {
                findings.obstacle(
                    MigrationCheck::Contact,
                    format!(
                        "{to} did not answer all questions within {} s.",
                        PATIENCE.as_secs()
                    ),
                    "What it would say is not known.",
                    "Look at the host, then check again.",
                );
            }
        }
        self.judge(to, findings.into_sorted())
    }

    fn judge(&self, to: &model::HostId, findings: Vec<MigrationFinding>) -> MigrationVerdict {
        let worst = findings.iter().map(|finding| finding.level).max();
        let verdict = worst.unwrap_or(FindingLevel::Fine);
        let first = |level| {
            let mut of = findings
                .iter()
                .filter(move |finding| finding.level == level);
            let first = of
                .next()
                .map(|finding| finding.what.clone())
                .unwrap_or_default();
            match of.count() {
                0 => first,
                more => format!("{first} And {more} more."),
            }
        };
        let summary = match verdict {
            FindingLevel::Fine => "It can be moved there.".to_owned(),
            FindingLevel::Warning => format!("It can be moved there. {}", first(verdict)),
            FindingLevel::Obstacle => first(verdict),
        };
        let warnings = findings
            .iter()
            .filter(|finding| finding.level == FindingLevel::Warning);
        let score = (verdict != FindingLevel::Obstacle)
            .then(|| place::free_with(self, to))
            .flatten()
            .map(|share| (share - WARNING * warnings.count() as f64).clamp(0.0, 1.0));
        let name = self.topology.hosts.get(to).map(|host| host.name.clone());
        MigrationVerdict {
            host: translate::id(to),
            host_name: name.unwrap_or_else(|| to.to_string()),
            verdict,
            summary,
            score,
            findings,
        }
    }

    fn moved_links(&self, to: &model::HostId) -> Vec<links::Moved> {
        links::moved(self.state, self.topology, self.router, to)
    }
}

impl Findings {
    pub fn fine(&mut self, check: MigrationCheck, what: impl Into<String>) {
        self.0.push(MigrationFinding {
            level: FindingLevel::Fine,
            check,
            what: what.into(),
            why: None,
            advice: None,
        });
    }

    pub fn warning(
        &mut self,
        check: MigrationCheck,
        what: impl Into<String>,
        why: impl Into<String>,
        advice: Option<String>,
    ) {
        self.0.push(MigrationFinding {
            level: FindingLevel::Warning,
            check,
            what: what.into(),
            why: Some(why.into()),
            advice,
        });
    }

    pub fn obstacle(
        &mut self,
        check: MigrationCheck,
        what: impl Into<String>,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.0.push(MigrationFinding {
            level: FindingLevel::Obstacle,
            check,
            what: what.into(),
            why: Some(why.into()),
            advice: Some(advice.into()),
        });
    }

    /// All of them, the worst first.
    pub fn into_sorted(self) -> Vec<MigrationFinding> {
        let mut findings = self.0;
        findings.sort_by_key(|finding| (std::cmp::Reverse(finding.level), finding.check));
        findings
    }

    fn has_obstacle(&self, of: &[MigrationCheck]) -> bool {
        let mut obstacles = self.0.iter().filter(|f| f.level == FindingLevel::Obstacle);
        obstacles.any(|finding| of.contains(&finding.check))
    }
}
