//! `vms job …`: long work, and following it.
//!
//! On a terminal, a job that is followed is one line that is written again and again; elsewhere each
//! of its steps is a line, and a long one says now and then how far it is. How it ended is said last
//! in both.

use super::{
    JobCommand,
    commands::{CommandError, find_router, write},
    table::{ABSENT, Table, bytes, facts, or_absent},
    time::clock,
};
use crate::client::sentence;
use api::{
    Caller, CancelJobRequest, Conflict, Error, GetJobReply, GetJobRequest, Job, JobId, JobProgress,
    JobState, ListJobsReply, ListJobsRequest, MigrationResult, NotFound, Operations,
};
use serde::Serialize;
use std::{
    fmt::Write as _,
    future::Future,
    io::{self, Write},
    pin::pin,
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// How long the server may wait for a job's end before it tells how far it is, in seconds.
const TURN: u32 = 1;
/// How often it is asked at most, should it not wait.
const PULSE: Duration = Duration::from_millis(250);
/// How often it is said how far a job is where lines cannot be written again.
const NOW_AND_THEN: Duration = Duration::from_secs(10);
/// How wide a line is that is written again: one that a terminal breaks would not be overwritten.
const WIDTH: usize = 79;
/// The most jobs that are looked through for one that an id begins.
const MOST: u32 = 1000;

/// Carries out one of the commands.
pub(super) async fn execute(
    command: JobCommand,
    json: bool,
    operations: &dyn Operations,
    caller: &Caller,
    out: &mut (dyn Write + Send),
    terminal: bool,
) -> Result<(), CommandError> {
    match command {
        JobCommand::List {
            router,
            host,
            unfinished,
        } => {
            let router = match router {
                Some(router) => Some(find_router(operations, caller, &router).await?),
                None => None,
            };
            let request = ListJobsRequest {
                router,
                host,
                unfinished: unfinished.then_some(true),
                limit: None,
            };
            let reply = operations.list_jobs(caller, request).await?;
            write(out, json, &reply, jobs)
        }
        JobCommand::Show { job } => {
            let reply = get(operations, caller, &job).await?;
            write(out, json, &reply, |reply| shown(&reply.job))
        }
        JobCommand::Cancel { job } => {
            let request = CancelJobRequest {
                job: find_job(operations, caller, &job).await?,
                request_id: None,
            };
            let reply = operations.cancel_job(caller, request).await?;
            write(out, json, &reply, |reply| cancelled(&reply.job))
        }
        JobCommand::Watch { job } => {
            let job = get(operations, caller, &job).await?.job;
            follow(job, json, operations, caller, out, terminal).await
        }
    }
}

async fn get(
    operations: &dyn Operations,
    caller: &Caller,
    wanted: &str,
) -> Result<GetJobReply, Error> {
    let request = GetJobRequest {
        job: find_job(operations, caller, wanted).await?,
        wait_seconds: None,
    };
    operations.get_job(caller, request).await
}

/// The job with this id, or the only one whose id begins so.
async fn find_job(
    operations: &dyn Operations,
    caller: &Caller,
    wanted: &str,
) -> Result<JobId, Error> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let request = ListJobsRequest {
        limit: Some(MOST),
        ..ListJobsRequest::default()
    };
    let jobs = operations.list_jobs(caller, request).await?.jobs;
    beginning(&jobs, wanted)
}

fn beginning(jobs: &[Job], wanted: &str) -> Result<JobId, Error> {
    let beginning = wanted.to_lowercase();
    let so = |job: &&Job| job.id.to_string().starts_with(&beginning);
    let found: Vec<_> = jobs.iter().filter(so).map(|job| job.id).collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(NotFound {
            kind: "job".to_owned(),
            id: wanted.to_owned(),
            message: format!("No job's id begins with {wanted:?}: `vms job list` names them."),
        }
        .into()),
        several => {
            let each: Vec<_> = several.iter().map(ToString::to_string).collect();
            Err(Conflict {
                message: format!(
                    "The ids of {} jobs begin with {wanted:?}: name one of {}.",
                    several.len(),
                    each.join(", ")
                ),
            }
            .into())
        }
    }
}

/// Tells what was begun, and follows it unless that is not wanted: `reply` is the answer to whoever
/// asked for it.
#[expect(
    clippy::too_many_arguments,
    reason = "it is what every command is given"
)]
pub(super) async fn carry<T: Serialize>(
    reply: &T,
    job: Job,
    no_wait: bool,
    json: bool,
    operations: &dyn Operations,
    caller: &Caller,
    out: &mut (dyn Write + Send),
    terminal: bool,
) -> Result<(), CommandError> {
    if no_wait {
        return write(out, json, reply, |_| begun(&job));
    }
    if !json {
        out.write_all(begun(&job).as_bytes())?;
        out.flush()?;
    }
    follow(job, json, operations, caller, out, terminal).await
}

/// Follows a job until it ends or whoever does that interrupts it, and tells how it ended.
pub(super) async fn follow(
    job: Job,
    json: bool,
    operations: &dyn Operations,
    caller: &Caller,
    out: &mut (dyn Write + Send),
    terminal: bool,
) -> Result<(), CommandError> {
    let ask = async |job| {
        let request = GetJobRequest {
            job,
            wait_seconds: Some(TURN),
        };
        operations.get_job(caller, request).await
    };
    let interrupted = async {
        // Where it cannot be told, the signal ends the program as usual.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let tell = |text: String| {
        if json {
            return Ok(());
        }
        out.write_all(text.as_bytes())?;
        out.flush()
    };
    let reply = watch(job, ask, interrupted, Follower::new(terminal), tell).await?;
    write(out, json, &reply, |reply| ended(&reply.job))?;
    failure(&reply.job).map_or(Ok(()), |text| Err(CommandError::JobFailed(text)))
}

/// Asks how a job is getting on until it has ended, and tells that piece by piece.
async fn watch(
    job: Job,
    ask: impl AsyncFn(JobId) -> Result<GetJobReply, Error>,
    interrupted: impl Future<Output = ()>,
    mut follower: Follower,
    mut tell: impl FnMut(String) -> io::Result<()>,
) -> Result<GetJobReply, CommandError> {
    let mut interrupted = pin!(interrupted);
    let mut reply = GetJobReply {
        as_of: job.changed_at,
        job,
    };
    while !has_ended(&reply.job) {
        tell(follower.tell(&reply.job, Instant::now()))?;
        let job = reply.job.id;
        let asked = Instant::now();
        let answer = tokio::select! {
            answer = ask(job) => answer,
            () = &mut interrupted => {
                tell(follower.rest())?;
                return Err(CommandError::NotFollowed { job });
            }
        };
        reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                tell(follower.rest())?;
                let reason = sentence(&error);
                return Err(CommandError::LostSight { job, reason });
            }
        };
        if !has_ended(&reply.job) {
            sleep_until(asked + PULSE).await;
        }
    }
    tell(follower.tell(&reply.job, Instant::now()))?;
    tell(follower.rest())?;
    Ok(reply)
}

/// Whether there is nothing more to wait for. What is left to clean up may take until a host comes
/// back.
fn has_ended(job: &Job) -> bool {
    job.state.is_over() || job.state == JobState::CleanupPending
}

/// Tells how a job is getting on, a piece at a time.
struct Follower {
    terminal: bool,
    /// Steps that were told.
    steps: usize,
    /// Whether a line stands there that is to be written again.
    open: bool,
    /// When it was last said how far it is.
    told: Option<Instant>,
}

impl Follower {
    fn new(terminal: bool) -> Self {
        Self {
            terminal,
            steps: 0,
            open: false,
            told: None,
        }
    }

    /// What is to be written now.
    fn tell(&mut self, job: &Job, now: Instant) -> String {
        if self.terminal {
            if has_ended(job) {
                return String::new();
            }
            self.open = true;
            return format!("\r{}\x1b[K", line(job));
        }
        let mut text = String::new();
        for step in job.steps.iter().skip(self.steps) {
            // How it ended is said last.
            if !has_ended(job) || step.message != job.message {
                let _ = writeln!(text, "{} {}", clock(step.at), step.message);
            }
        }
        if self.steps < job.steps.len() || self.told.is_none() {
            self.steps = job.steps.len();
            self.told = Some(now);
        } else if let Some(progress) = &job.progress
            && !has_ended(job)
            && self.told.is_some_and(|told| now - told >= NOW_AND_THEN)
        {
            let _ = writeln!(text, "{}: {}", job.phase.as_str(), quantities(progress));
            self.told = Some(now);
        }
        text
    }

    /// Takes the line away that stands there.
    fn rest(&mut self) -> String {
        if std::mem::take(&mut self.open) {
            "\r\x1b[K".to_owned()
        } else {
            String::new()
        }
    }
}

/// Phase and progress in a line that fits a terminal.
fn line(job: &Job) -> String {
    let phase = job.phase.as_str();
    let text = match &job.progress {
        Some(progress) => format!("{phase} {} {}", bar(progress), quantities(progress)),
        None => format!("{phase}: {}", job.message),
    };
    if text.chars().count() <= WIDTH {
        return text;
    }
    text.chars().take(WIDTH - 1).chain(['…']).collect()
}

fn bar(progress: &JobProgress) -> String {
    const CELLS: usize = 12;
    let full = (progress.share() * CELLS as f64) as usize;
    "█".repeat(full) + &"░".repeat(CELLS - full)
}

fn quantities(progress: &JobProgress) -> String {
    let mut text = format!(
        "{:.0} %, {} of {}",
        // 100 is for what is done.
        (progress.share() * 100.0).floor(),
        bytes(progress.done_bytes),
        bytes(progress.total_bytes)
    );
    if let Some(rate) = progress.bytes_per_second {
        let _ = write!(text, ", {}/s", bytes(rate));
    }
    if let Some(left) = progress.seconds_left {
        let _ = write!(text, ", {} left", span(left));
    }
    if let Some(round) = progress.iteration.filter(|&round| round > 1) {
        let _ = write!(text, ", round {round}");
    }
    text
}

fn span(seconds: u64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

fn took(milliseconds: u64) -> String {
    match milliseconds {
        ..10_000 => app::format::milliseconds(milliseconds as f64),
        _ => span(milliseconds / 1000),
    }
}

/// That a job was begun, and its id.
pub(super) fn begun(job: &Job) -> String {
    let what = what(job);
    match job.state {
        JobState::Queued => format!("Job {} waits for its turn: {what}.\n", job.id),
        JobState::Running => format!("Job {} has begun: {what}.\n", job.id),
        // The same request id as before.
        state => format!("Job {}, {what}, is {}.\n", job.id, state.as_str()),
    }
}

/// What a job does, in some words.
fn what(job: &Job) -> String {
    let mut text = job.kind.as_str().to_owned();
    if let Some(router) = &job.router_name {
        let _ = write!(text, " of {router}");
    }
    if let Some(source) = &job.source {
        let _ = write!(text, " from {source}");
    }
    if let Some(destination) = &job.destination {
        let _ = write!(text, " to {destination}");
    }
    text
}

/// How a job ended, for whoever followed it; why it failed is the error's to say.
fn ended(job: &Job) -> String {
    let mut text = String::new();
    if failure(job).is_none() {
        let _ = writeln!(text, "{}", job.message);
    }
    if let Some(result) = &job.migration {
        text += &summary(result);
    }
    text + &left(job)
}

/// Why a job did not do what it was to do, and what to do about it.
fn failure(job: &Job) -> Option<String> {
    match (&job.error, job.state) {
        (Some(error), _) => Some(format!("{} {}", error.message, error.advice)),
        (None, JobState::Failed | JobState::Cancelled | JobState::Interrupted) => {
            Some(job.message.clone())
        }
        (None, _) => None,
    }
}

/// What a migration did, a line for each thing.
fn summary(result: &MigrationResult) -> String {
    let mut text = format!("It took {}", took(result.total_milliseconds));
    if let Some(still) = result.downtime_milliseconds {
        let _ = write!(text, "; the router stood still for {}", took(still));
    }
    let sent = [
        (result.memory_bytes, "memory"),
        (result.disk_bytes, "disks"),
    ];
    let sent: Vec<_> = (sent.into_iter())
        .filter_map(|(size, of)| Some(format!("{} of {of}", bytes(size?))))
        .collect();
    if !sent.is_empty() {
        let _ = write!(text, "; sent: {}", sent.join(", "));
    }
    if let Some(driver) = result.driven_by {
        let _ = write!(text, "; {}", driver.as_str());
    }
    text += ".\n";
    for interruption in &result.interruptions {
        let _ = writeln!(text, "! {}", interruption.message);
    }
    text
}

/// What is still to be cleaned up.
fn left(job: &Job) -> String {
    job.pending.iter().fold(String::new(), |mut text, left| {
        let _ = writeln!(text, "! {left}");
        text
    })
}

fn cancelled(job: &Job) -> String {
    if job.state.is_over() {
        return format!("Job {} is over: {}\n", job.id, job.message);
    }
    format!(
        "Job {0} is being given up; `vms job watch {0}` tells when what it had begun is undone.\n",
        job.id
    )
}

fn jobs(reply: &ListJobsReply) -> String {
    let mut table = Table::new(&[
        "asked for",
        "what",
        "router",
        "from",
        "to",
        "state",
        "phase",
        "done",
        "id",
    ]);
    for job in &reply.jobs {
        let active = !has_ended(job);
        let share = job.progress.as_ref().filter(|_| active);
        table.row([
            clock(job.created_at),
            job.kind.as_str().to_owned(),
            or_absent(job.router_name.as_ref()),
            or_absent(job.source.as_ref()),
            or_absent(job.destination.as_ref()),
            job.state.as_str().to_owned(),
            if active {
                job.phase.as_str().to_owned()
            } else {
                ABSENT.to_owned()
            },
            share.map_or(ABSENT.to_owned(), |progress| {
                format!("{:.0} %", (progress.share() * 100.0).floor())
            }),
            job.id.to_string(),
        ]);
    }
    let pending = reply.jobs.iter().map(left);
    table.to_string() + &pending.collect::<String>()
}

fn shown(job: &Job) -> String {
    let mut lines = vec![
        ("id", job.id.to_string()),
        ("what", job.kind.as_str().to_owned()),
        (
            "router",
            match (&job.router_name, &job.router) {
                (Some(name), Some(id)) => format!("{name}, {id}"),
                (name, id) => or_absent(name.clone().or(id.map(|id| id.to_string()))),
            },
        ),
        ("from", or_absent(job.source.as_ref())),
        ("to", or_absent(job.destination.as_ref())),
        (
            "state",
            format!("{}, since {}", job.state.as_str(), clock(job.changed_at)),
        ),
    ];
    if !job.state.is_over() {
        lines.push(("phase", job.phase.as_str().to_owned()));
        if let Some(progress) = &job.progress {
            lines.push(("progress", quantities(progress)));
        }
        let answer = match (job.cancel_requested, job.cancellable) {
            (true, _) => "asked for",
            (false, true) => "possible",
            (false, false) => "no longer possible",
        };
        lines.push(("cancelling", answer.to_owned()));
    }
    lines.extend([
        (
            "asked for",
            format!("{}, by {}", clock(job.created_at), job.requested_by),
        ),
        ("begun", or_absent(job.started_at.map(clock))),
        ("ended", or_absent(job.finished_at.map(clock))),
    ]);
    let mut text = format!("{}\n{}\n", facts(&lines), job.message);
    if let Some(result) = &job.migration {
        text += &summary(result);
    }
    if let Some(error) = &job.error {
        // The job's own sentence may be the error's.
        if error.message != job.message {
            let _ = writeln!(text, "{}", error.message);
        }
        let _ = writeln!(text, "{}", error.advice);
    }
    text += &left(job);
    if !job.steps.is_empty() {
        let mut table = Table::new(&["at", "step"]);
        for step in &job.steps {
            table.row([clock(step.at), step.message.clone()]);
        }
        let _ = write!(text, "\n{table}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{JobError, JobKind, JobPhase, JobStep, LinkInterruption, MigrationDriver, Timestamp};

    const MEBIBYTE: u64 = 1 << 20;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn job(state: JobState, phase: JobPhase, message: &str) -> Job {
        Job {
            id: "4f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01".parse().unwrap(),
            kind: JobKind::LiveMigration,
            state,
            phase,
            message: message.to_owned(),
            progress: None,
            router: Some("6f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01".parse().unwrap()),
            router_name: Some("r1".to_owned()),
            source: Some("alpha".parse().unwrap()),
            destination: Some("beta".parse().unwrap()),
            requested_by: "local".to_owned(),
            created_at: at(0),
            started_at: Some(at(1)),
            changed_at: at(2),
            finished_at: None,
            cancellable: true,
            cancel_requested: false,
            migration: None,
            error: None,
            pending: Vec::new(),
            steps: Vec::new(),
            image: None,
            link: None,
        }
    }

    fn transferring() -> Job {
        Job {
            progress: Some(JobProgress {
                done_bytes: 512 * MEBIBYTE,
                total_bytes: 1024 * MEBIBYTE,
                bytes_per_second: Some(100 * MEBIBYTE),
                seconds_left: Some(5),
                iteration: Some(2),
            }),
            ..job(JobState::Running, JobPhase::Transferring, "It sends.")
        }
    }

    fn step(second: i64, message: &str) -> JobStep {
        JobStep {
            at: at(second),
            message: message.to_owned(),
        }
    }

    fn succeeded() -> Job {
        Job {
            finished_at: Some(at(9)),
            migration: Some(MigrationResult {
                total_milliseconds: 12_340,
                downtime_milliseconds: Some(120),
                memory_bytes: Some(700 * MEBIBYTE),
                disk_bytes: None,
                driven_by: Some(MigrationDriver::PeerToPeer),
                interruptions: vec![LinkInterruption {
                    interface: "52:54:00:00:00:01".parse().unwrap(),
                    peer: None,
                    milliseconds: Some(900),
                    message: "The link to r2 was interrupted for 900 ms.".to_owned(),
                }],
            }),
            steps: vec![step(1, "It was checked."), step(9, "r1 is on beta.")],
            ..job(JobState::Succeeded, JobPhase::Done, "r1 is on beta.")
        }
    }

    fn failed() -> Job {
        Job {
            error: Some(JobError {
                message: "The connection broke; r1 runs on alpha.".to_owned(),
                advice: "Try again.".to_owned(),
            }),
            ..job(JobState::Failed, JobPhase::Done, "It failed.")
        }
    }

    #[test]
    fn progress_is_a_line_that_fits() {
        assert_eq!(
            line(&transferring()),
            "transferring ██████░░░░░░ 50 %, 512 MiB of 1 GiB, 100 MiB/s, 5 s left, round 2"
        );
        let mut widest = transferring();
        widest.progress = Some(JobProgress {
            done_bytes: 1023 * MEBIBYTE,
            total_bytes: 1 << 40,
            bytes_per_second: Some(1023 * MEBIBYTE),
            seconds_left: Some(119),
            iteration: Some(1000),
        });
        assert_eq!(line(&widest).chars().count(), WIDTH);
        let checking = job(JobState::Running, JobPhase::Checking, "It asks beta.");
        assert_eq!(line(&checking), "checking: It asks beta.");
    }

    #[test]
    fn only_what_is_done_is_a_hundred_per_cent() {
        let progress = |done_bytes| JobProgress {
            done_bytes,
            total_bytes: 1000,
            bytes_per_second: None,
            seconds_left: None,
            iteration: Some(1),
        };
        assert_eq!(quantities(&progress(0)), "0 %, 0 B of 1000 B");
        assert_eq!(quantities(&progress(999)), "99 %, 999 B of 1000 B");
        assert_eq!(quantities(&progress(1000)), "100 %, 1000 B of 1000 B");
        assert!(bar(&progress(999)).ends_with('░'));
        assert!(!bar(&progress(1000)).contains('░'));
    }

    #[test]
    fn a_terminal_has_one_line() {
        let mut follower = Follower::new(true);
        let now = Instant::now();
        for _ in 0..2 {
            let text = follower.tell(&transferring(), now);
            assert!(text.starts_with("\rtransferring ") && text.ends_with("\x1b[K"));
            assert!(!text.contains('\n'));
        }
        assert_eq!(follower.tell(&succeeded(), now), "");
        assert_eq!(follower.rest(), "\r\x1b[K");
        assert_eq!(follower.rest(), "");
    }

    #[test]
    fn elsewhere_each_step_is_a_line_and_progress_comes_now_and_then() {
        let mut follower = Follower::new(false);
        let start = Instant::now();
        let mut job = transferring();
        job.steps.push(step(1, "It was checked."));
        let checked = "1970-01-01 00:00:01Z It was checked.\n";
        assert_eq!(follower.tell(&job, start), checked);
        assert_eq!(follower.tell(&job, start + PULSE), "");
        assert_eq!(
            follower.tell(&job, start + NOW_AND_THEN),
            "transferring: 50 %, 512 MiB of 1 GiB, 100 MiB/s, 5 s left, round 2\n"
        );
        assert_eq!(follower.tell(&job, start + NOW_AND_THEN + PULSE), "");
        // The last step says what the job says in the end: once is enough.
        assert_eq!(follower.tell(&succeeded(), start), "");
        assert_eq!(follower.rest(), "");
    }

    #[test]
    fn an_end_is_told_once() {
        assert_eq!(
            ended(&succeeded()),
            "r1 is on beta.\n\
             It took 12 s; the router stood still for 120 ms; sent: 700 MiB of memory; driven by \
             the source host.\n\
             ! The link to r2 was interrupted for 900 ms.\n"
        );
        assert_eq!(failure(&succeeded()), None);
        assert_eq!(ended(&failed()), "");
        assert_eq!(
            failure(&failed()).as_deref(),
            Some("The connection broke; r1 runs on alpha. Try again.")
        );
        let given_up = job(JobState::Cancelled, JobPhase::Done, "It was given up.");
        assert_eq!(failure(&given_up).as_deref(), Some("It was given up."));
        // What is left on a host that is away makes no success a failure, and is waited for no longer.
        let left = Job {
            state: JobState::CleanupPending,
            pending: vec!["r1 is still defined on alpha.".to_owned()],
            migration: None,
            ..succeeded()
        };
        assert!(has_ended(&left));
        assert_eq!(failure(&left), None);
        assert_eq!(
            ended(&left),
            "r1 is on beta.\n! r1 is still defined on alpha.\n"
        );
    }

    #[test]
    fn jobs_are_listed() {
        let reply = ListJobsReply {
            as_of: at(10),
            jobs: vec![transferring(), failed()],
        };
        let id = "4f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01";
        assert_eq!(
            jobs(&reply),
            format!(
                "ASKED FOR             WHAT            ROUTER  FROM   TO    STATE    PHASE         DONE  ID\n\
                 1970-01-01 00:00:00Z  live migration  r1      alpha  beta  running  transferring  50 %  {id}\n\
                 1970-01-01 00:00:00Z  live migration  r1      alpha  beta  failed   -                -  {id}\n"
            )
        );
    }

    #[test]
    fn a_job_is_shown() {
        assert_eq!(
            shown(&succeeded()),
            "\
id         4f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01
what       live migration
router     r1, 6f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01
from       alpha
to         beta
state      succeeded, since 1970-01-01 00:00:02Z
asked for  1970-01-01 00:00:00Z, by local
begun      1970-01-01 00:00:01Z
ended      1970-01-01 00:00:09Z

r1 is on beta.
It took 12 s; the router stood still for 120 ms; sent: 700 MiB of memory; driven by the source host.
! The link to r2 was interrupted for 900 ms.

AT                    STEP
1970-01-01 00:00:01Z  It was checked.
1970-01-01 00:00:09Z  r1 is on beta.
"
        );
        let text = shown(&transferring());
        for expected in [
            "phase       transferring\n",
            "progress    50 %, 512 MiB of 1 GiB",
            "cancelling  possible\n",
        ] {
            assert!(text.contains(expected), "{text}");
        }
        let text = shown(&failed());
        let why = "It failed.\nThe connection broke; r1 runs on alpha.\nTry again.\n";
        assert!(text.contains(why), "{text}");
    }

    /// What is told of jobs that come one after the other, and how that ends.
    async fn watched(
        answers: Vec<Result<Job, Error>>,
        interrupted: impl Future<Output = ()>,
    ) -> (String, Result<JobState, CommandError>) {
        let answers = std::sync::Mutex::new(answers.into_iter());
        let ask = async |_| {
            let next = answers.lock().unwrap().next();
            match next {
                Some(answer) => answer.map(|job| GetJobReply { as_of: at(3), job }),
                None => std::future::pending().await,
            }
        };
        let mut text = String::new();
        let tell = |piece: String| {
            text += &piece;
            Ok(())
        };
        let first = transferring();
        let end = watch(first, ask, interrupted, Follower::new(true), tell).await;
        (text, end.map(|reply| reply.job.state))
    }

    #[tokio::test]
    async fn following_ends_with_the_job_by_an_interrupt_or_where_nobody_answers() {
        let never = std::future::pending::<()>;
        let line = format!("\r{}\x1b[K", line(&transferring()));
        let (text, end) = watched(vec![Ok(transferring()), Ok(succeeded())], never()).await;
        assert_eq!(text, format!("{line}{line}\r\x1b[K"));
        assert_eq!(end.unwrap(), JobState::Succeeded);

        let later = tokio::time::sleep(2 * PULSE);
        let (text, end) = watched(vec![Ok(transferring())], later).await;
        assert_eq!(text, format!("{line}{line}\r\x1b[K"));
        let id = transferring().id;
        let says = end.unwrap_err().to_string();
        assert!(says.contains(&format!("vms job watch {id}")), "{says}");
        assert!(says.contains(&format!("vms job cancel {id}")), "{says}");

        let gone = Error::from(api::Internal {
            message: "No server answers.".to_owned(),
            reference: String::new(),
        });
        let (_, end) = watched(vec![Err(gone)], never()).await;
        let says = end.unwrap_err().to_string();
        assert!(says.starts_with("No server answers. Whether"), "{says}");
    }

    #[test]
    fn a_job_is_named_by_the_beginning_of_its_id() {
        let one = transferring();
        let two = Job {
            id: "4f2f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01".parse().unwrap(),
            ..transferring()
        };
        let all = [one.clone(), two.clone()];
        assert_eq!(beginning(&all, "4f1").unwrap(), one.id);
        assert_eq!(beginning(&all, "4F2F52A0-").unwrap(), two.id);
        let Err(Error::Conflict(several)) = beginning(&all, "4f") else {
            panic!("two jobs begin so");
        };
        assert!(several.message.contains(&one.id.to_string()));
        assert!(several.message.contains(&two.id.to_string()));
        let Err(Error::NotFound(none)) = beginning(&all, "5") else {
            panic!("none begins so");
        };
        assert_eq!((none.kind.as_str(), none.id.as_str()), ("job", "5"));
        assert!(beginning(&[], "").is_err());
    }

    #[test]
    fn what_was_begun_is_told_with_its_id() {
        let id = transferring().id;
        assert_eq!(
            begun(&transferring()),
            format!("Job {id} has begun: live migration of r1 from alpha to beta.\n")
        );
        assert_eq!(
            begun(&succeeded()),
            format!("Job {id}, live migration of r1 from alpha to beta, is succeeded.\n")
        );
        assert!(cancelled(&transferring()).contains("is being given up"));
        let over = format!("Job {id} is over: r1 is on beta.\n");
        assert_eq!(cancelled(&succeeded()), over);
    }
}
