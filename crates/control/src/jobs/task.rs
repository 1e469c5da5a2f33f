//! A job that is done as a whole, or undone as a whole: everything but a migration.
//!
//! ```text
//!            turn          each step with what takes it back          commit
//!  Waiting ───────▶ acting ──────────────────────────────────▶ ... ───────────▶ chores ─▶ succeeded
//!                     │ failed, cancelled, server died
//!                     └─────────────▶ what was done is taken back, the newest first ─▶ failed,
//!                                     cancelled, interrupted
//! ```
//!
//! The commit is one write to `vms.db`: the outcome, and what is left to be done. Before it a death
//! of the server undoes the task, after it the chores are done to their end. So there is the whole of
//! it or nothing, whenever the server dies. What only takes things away is a check and
//! then chores alone.

use super::{
    book::{Entry, end, queued, step},
    plan::{Chore, Course, Outcome, Plan, Stage, Subject, What},
    turns,
    work::{Stop, Work},
};
use crate::{
    images::tasks::{self, Distribution, Import, Removal},
    provisioning::{self, Creation, Deletion, LinkCreation, LinkDeletion, ShuttingDown},
    service::{State, translate},
};
use api::{Error, Job, JobError, JobId, JobKind, JobPhase, JobState, Timestamp};
use libvirt::Connection;
use model::{Driver, HostId, RouterId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// The plan of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    pub act: Act,
    pub request_id: Option<String>,
    /// The hosts that it acts on: it waits for its turn at each.
    pub hosts: Vec<HostId>,
    /// The routers that nobody else may act on meanwhile.
    pub routers: Vec<RouterId>,
    /// What it is about, in sentences: a router's or an image's name.
    pub name: String,
    /// The driver of the hosts that it asks, if its chores do not say another.
    pub driver: Driver,
    /// Until when a router may still shut down because it was asked to.
    #[serde(default)]
    pub shut_down_until: Option<Timestamp>,
    pub stage: Stage,
    /// What takes back what was begun, the newest last.
    pub undo: Vec<Chore>,
    /// What is left to be done.
    pub follow_up: Vec<Chore>,
    /// How it ended, once that is known and only chores are left.
    pub outcome: Option<Outcome>,
}

/// What a task does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Act {
    CreateRouter(Box<Creation>),
    ShutDown(ShuttingDown),
    DeleteRouter(Deletion),
    CreateLink(Box<LinkCreation>),
    DeleteLink(Box<LinkDeletion>),
    ImportImage(Box<Import>),
    DistributeImage(Distribution),
    /// An image leaves a host, or the store.
    RemoveImage(Removal),
}

impl Act {
    fn kind(&self) -> JobKind {
        match self {
            Self::CreateRouter(_) => JobKind::RouterCreation,
            Self::ShutDown(_) => JobKind::RouterShutdown,
            Self::DeleteRouter(_) => JobKind::RouterDeletion,
            Self::CreateLink(_) => JobKind::LinkCreation,
            Self::DeleteLink(_) => JobKind::LinkDeletion,
            Self::ImportImage(_) => JobKind::ImageImport,
            Self::DistributeImage(_) => JobKind::ImageDistribution,
            Self::RemoveImage(Removal { host: Some(_), .. }) => JobKind::ImageEviction,
            Self::RemoveImage(Removal { host: None, .. }) => JobKind::ImageDeletion,
        }
    }
}

impl Task {
    /// A task that has not begun.
    pub fn new(act: Act, name: &str, hosts: Vec<HostId>, driver: Driver) -> Self {
        Self {
            act,
            request_id: None,
            hosts,
            routers: Vec::new(),
            name: name.to_owned(),
            driver,
            shut_down_until: None,
            stage: Stage::Begun,
            undo: Vec::new(),
            follow_up: Vec::new(),
            outcome: None,
        }
    }
}

impl Course for Task {
    type Notes = Notes;

    fn to_plan(&self) -> Plan {
        Plan::Task(self.clone())
    }

    fn undo(&mut self) -> &mut Vec<Chore> {
        &mut self.undo
    }

    fn follow_up(&mut self) -> &mut Vec<Chore> {
        &mut self.follow_up
    }

    fn outcome(&mut self) -> &mut Option<Outcome> {
        &mut self.outcome
    }

    fn is_committed(&self) -> bool {
        self.stage == Stage::Committed
    }

    fn subject(&self) -> Subject {
        Subject {
            router: (self.routers.first().copied()).unwrap_or(RouterId(Uuid::nil())),
            name: self.name.clone(),
            driver: self.driver,
            shut_down_until: self.shut_down_until,
        }
    }

    fn left_undone(&mut self, chore: &Chore, sentence: &str) {
        let is_deletion = matches!(self.act, Act::DeleteRouter(_) | Act::DeleteLink(_));
        let Some(outcome) = &mut self.outcome else {
            return;
        };
        // A disk that somebody needs stays, and that is no failure.
        let is_vital = !matches!(chore.what, What::DeleteVolume { .. });
        if is_deletion && is_vital && outcome.state == JobState::Succeeded {
            outcome.state = JobState::Failed;
            outcome.message = format!("{} is not taken away as a whole.", self.name);
            outcome.error = Some(JobError {
                message: String::new(),
                advice: "Mend what the host complains of, then ask for it again.".to_owned(),
            });
        }
        outcome.message = format!("{} {sentence}", outcome.message);
        if let Some(error) = &mut outcome.error {
            error.message.clone_from(&outcome.message);
        }
    }
}

/// What is noted of a task on its way.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Its turn at its hosts, until it needs it no longer.
    turn: Option<turns::Turn>,
    /// Where networks came or went: those hosts are listed anew before it is over.
    networks: Vec<(HostId, Driver)>,
}

impl Notes {
    /// A network came or went.
    pub fn changed(&mut self, host: &HostId, driver: Driver) {
        let host = (host.clone(), driver);
        if !self.networks.contains(&host) {
            self.networks.push(host);
        }
    }

    /// Others may act on its hosts: it only waits from here on.
    pub fn let_others_go_on(&mut self) {
        self.turn = None;
    }
}

/// Writes a task down and starts its work. `tell` fills in what a caller is told of it beside its
/// kind and its router.
pub(crate) async fn start(
    state: &Arc<State>,
    task: Task,
    caller: &str,
    message: String,
    tell: impl FnOnce(&mut Job),
) -> Result<JobId, Error> {
    let router = task.routers.first().copied();
    let mut job = Job {
        router: router.map(translate::router_id),
        router_name: router.map(|_| task.name.clone()),
        ..queued(task.act.kind(), message, caller)
    };
    tell(&mut job);
    let entry = state.jobs.begin(job, Plan::Task(task)).await?;
    let id = entry.job().id;
    super::go_on(state, entry);
    Ok(id)
}

impl Work<Task> {
    pub(super) async fn run(mut self, place: turns::Place) {
        let is_new = self.entry.job().state == JobState::Queued;
        let hosts = self.plan.hosts.clone();
        let turn = async {
            let turn = place.turn().await;
            // After a start of the server, a host that nobody tried yet is not away.
            self.tried(&hosts, None).await;
            turn
        };
        let turn = tokio::select! {
            turn = turn => Some(turn),
            () = self.entry.cancel.cancelled(), if is_new => None,
        };
        if self.jobs().stop.is_cancelled() {
            // Its turn came because the server ends: it goes on waiting after the next start.
            return;
        }
        let has_turn = turn.is_some();
        self.notes.turn = turn;
        let outcome = match (has_turn, self.plan.outcome.clone()) {
            (_, Some(outcome)) => outcome,
            (false, None) => self.not_done(Stop::Cancelled, false),
            (true, None) if is_new => self.attempt().await,
            (true, None) => {
                let stop = Stop::failed(
                    "The server ended while this was under way.",
                    "Ask for it again if it is still wanted.",
                );
                self.not_done(stop, true)
            }
        };
        if self.plan.outcome.is_none() {
            self.decided(&outcome).await;
        }
        // Others need not wait for a host that is away.
        let turn = self.notes.turn.take();
        self.clean(turn, |work, chore| {
            if let What::RemoveNetwork { .. } = chore.what {
                let driver = chore.driver.unwrap_or(work.plan.driver);
                work.notes.changed(&chore.host, driver);
            }
        })
        .await;
        self.look_again().await;
        // What was left undone is in it by now.
        let outcome = self.plan.outcome.clone().unwrap_or(outcome);
        self.tell(|job| end(job, outcome.state, outcome.message, outcome.error))
            .await;
    }

    /// Whoever hears that it is over finds the topology so.
    async fn look_again(&self) {
        for (host, driver) in &self.notes.networks {
            let _ = self.state.fleet.relist(host, *driver).await;
        }
        for host in &self.plan.hosts {
            for &router in &self.plan.routers {
                let known = self.state.view().topology().routers.get(&router).cloned();
                let driver = known.map_or(self.plan.driver, |router| router.domain.driver);
                let _ = self.state.fleet.refresh(host, driver, router).await;
            }
        }
    }

    /// From its turn to its outcome.
    async fn attempt(&mut self) -> Outcome {
        self.tell(|job| {
            job.state = JobState::Running;
            job.started_at = Some(Timestamp::now());
        })
        .await;
        let done = match self.plan.act.clone() {
            Act::CreateRouter(creation) => provisioning::create::create(self, *creation).await,
            Act::ShutDown(how) => provisioning::routers::shut_down(self, how).await,
            Act::DeleteRouter(deletion) => provisioning::routers::delete(self, deletion).await,
            Act::CreateLink(link) => provisioning::links::create(self, *link).await,
            Act::DeleteLink(link) => provisioning::links::delete(self, *link).await,
            Act::ImportImage(import) => tasks::import(self, *import).await,
            Act::DistributeImage(distribution) => tasks::distribute(self, distribution).await,
            Act::RemoveImage(removal) => tasks::remove(self, removal).await,
        };
        match done {
            Ok(message) => self
                .plan
                .outcome
                .clone()
                .unwrap_or_else(|| succeeded(message)),
            Err(stop) => self.not_done(stop, false),
        }
    }

    /// It is done, but for what is left to do: from here on nothing is taken back. Committed when
    /// this returns; what could not be written down did not happen.
    pub async fn commit(&mut self, message: &str, follow_up: Vec<Chore>) -> Result<(), Stop> {
        // From now on nobody can cancel it: whoever was told that it is being cancelled is right.
        self.stop_if_cancelled()?;
        let before = self.plan.clone();
        self.plan.stage = Stage::Committed;
        self.plan.undo.clear();
        self.plan.follow_up = follow_up;
        self.plan.outcome = Some(succeeded(message.to_owned()));
        if let Err(stop) = self.save_plan().await {
            self.plan = before;
            return Err(stop);
        }
        self.tell(|job| step(job, JobPhase::Finishing, message))
            .await;
        Ok(())
    }

    /// What is said at its end, once it is committed.
    pub fn say_at_the_end(&mut self, message: String) {
        if let Some(outcome) = &mut self.plan.outcome {
            outcome.message = message;
        }
    }

    /// A connection of its own to one of its hosts.
    pub async fn session(&self, host: &HostId, driver: Driver) -> Result<Connection, Stop> {
        let session = self.state.fleet.session(host, driver, "job").await;
        session.map_err(|failure| Stop::on(host, "Connecting", failure))
    }

    fn not_done(&mut self, stop: Stop, is_restart: bool) -> Outcome {
        if let Some(outcome) = self.plan.outcome.clone() {
            return outcome;
        }
        self.plan.follow_up.clear();
        let failed = if is_restart {
            JobState::Interrupted
        } else {
            JobState::Failed
        };
        let back = match self.plan.act {
            Act::ShutDown(_) if self.entry.job().phase == JobPhase::Stopping || is_restart => {
                "It was asked to shut down and may still do so."
            }
            _ if self.plan.undo.is_empty() => "Nothing was changed.",
            _ => "All that was begun is taken back.",
        };
        let (state, message, error) = match stop {
            Stop::Cancelled => (JobState::Cancelled, format!("Cancelled. {back}"), None),
            Stop::Failed(mut error) | Stop::Away(mut error) => {
                error.message = format!("{} {back}", error.message);
                (failed, error.message.clone(), Some(error))
            }
            Stop::Changed(error) => (failed, error.message.clone(), Some(error)),
        };
        Outcome {
            state,
            message,
            error,
            migration: None,
        }
    }
}

fn succeeded(message: String) -> Outcome {
    Outcome {
        state: JobState::Succeeded,
        message,
        error: None,
        migration: None,
    }
}

/// The job as it is told now.
pub(crate) fn told(state: &State, id: JobId) -> Result<Job, Error> {
    let entry: Option<Arc<Entry>> = state.jobs.get(id);
    entry
        .map(|entry| entry.job())
        .ok_or_else(|| super::no_job(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deletion() -> Task {
        let [router, host] = [Uuid::from_u128(1).to_string(), "alpha".to_owned()];
        let act = json!({"deleteRouter": {
            "router": router, "host": host, "driver": "test", "keep_disks": false, "force": true,
        }});
        let act = serde_json::from_value(act).unwrap();
        let mut task = Task::new(act, "r1", vec![HostId::new("alpha")], Driver::Test);
        task.outcome = Some(succeeded("r1 is deleted.".to_owned()));
        task
    }

    #[test]
    fn a_task_is_read_as_one_and_a_migration_too() {
        let task = Plan::Task(deletion());
        let text = serde_json::to_string(&task).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), task);
        // As servers wrote it that knew no tasks.
        let router = Uuid::from_u128(1);
        let old = json!({
            "request": {"router": router, "destination": "beta"},
            "router": router, "name": "r1", "driver": "test", "from": "alpha", "to": "beta",
            "mode": "cold", "was_active": true, "autostart": false, "stage": "Begun",
            "undo": [{"host": "alpha", "what": "Start"}], "follow_up": [], "outcome": null,
        });
        let old: Plan = serde_json::from_value(old).unwrap();
        assert!(matches!(old, Plan::Migration(_)), "{old:?}");
        // What is neither is nothing, and told in the log.
        let half = json!({"act": {"somethingNew": {}}, "router": router, "from": "alpha"});
        assert!(serde_json::from_value::<Plan>(half).is_err());
    }

    #[test]
    fn a_deletion_that_leaves_something_is_no_success_but_a_disk_may_stay() {
        let about = |what| Chore::new(&HostId::new("alpha"), what);
        let mut task = deletion();
        let volume = about(What::DeleteVolume {
            pool: "vms".to_owned(),
            volume: "v".to_owned(),
        });
        task.left_undone(&volume, "Left undone: delete v, for r2 needs it.");
        let outcome = task.outcome.clone().unwrap();
        assert_eq!(outcome.state, JobState::Succeeded);
        assert!(outcome.message.ends_with("for r2 needs it."), "{outcome:?}");
        task.left_undone(&about(What::Remove), "Left undone: it.");
        let outcome = task.outcome.unwrap();
        assert_eq!(outcome.state, JobState::Failed);
        let error = outcome.error.unwrap();
        assert_eq!(error.message, outcome.message);
        assert_eq!(
            error.message,
            "r1 is not taken away as a whole. Left undone: it."
        );
    }
}
