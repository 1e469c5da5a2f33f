//! Jobs in words. Pure.

use crate::format;
use api::{Job, JobKind, JobProgress, JobState};

/// What a job does, as a heading: `Cold migration of r1`.
pub fn title(job: &Job) -> String {
    let what = match job.kind {
        JobKind::RouterCreation => "creation",
        JobKind::RouterShutdown => "shutdown",
        JobKind::RouterDeletion => "deletion",
        kind => kind.as_str(),
    };
    let what = capital(what);
    match &job.router_name {
        Some(router) => format!("{what} of {router}"),
        None => what,
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// From where to where: `a → b`, as far as it is known.
pub fn way(job: &Job) -> Option<(String, String)> {
    let source = job.source.as_ref()?.to_string();
    Some((source, job.destination.as_ref()?.to_string()))
}

/// How it ended, in a sentence.
pub fn ended(job: &Job) -> String {
    if !matches!(job.kind, JobKind::LiveMigration | JobKind::ColdMigration) {
        return job.message.clone();
    }
    let router = job.router_name.as_deref().unwrap_or("The router");
    let to = (job.destination.as_ref()).map_or("another host", |host| host.as_str());
    match job.state {
        JobState::Succeeded => format!("{router} is on {to} now."),
        JobState::Failed => format!("{router} could not be moved to {to}."),
        JobState::Cancelled => format!("Moving {router} to {to} was cancelled."),
        JobState::Interrupted => format!("Moving {router} to {to} was interrupted."),
        JobState::Queued | JobState::Running | JobState::CleanupPending => {
            format!("{router} is being moved to {to}.")
        }
    }
}

/// How far it is: `12 MiB of 64 MiB · 5 MB/s · 4 s left`.
pub fn how_far(progress: &JobProgress) -> String {
    let amount = (progress.total_bytes > 0).then(|| {
        let done = progress.done_bytes.min(progress.total_bytes);
        format!(
            "{} of {}",
            format::bytes(done),
            format::bytes(progress.total_bytes)
        )
    });
    let rate = progress.bytes_per_second.filter(|rate| *rate > 0);
    [
        amount,
        rate.map(|rate| format::bytes_per_second(rate as f64)),
        progress.seconds_left.map(left),
        (progress.iteration.filter(|round| *round > 1)).map(|round| format!("round {round}")),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ")
}

/// How much time is left.
pub fn left(seconds: u64) -> String {
    match seconds {
        0 => "nearly done".to_owned(),
        1..=119 => format!("{seconds} s left"),
        120..=7199 => format!("{} min left", seconds.div_ceil(60)),
        _ => format!("{} h left", seconds.div_ceil(3600)),
    }
}

/// How long something took: `340 ms`, `3.1 s`, `4 min 5 s`.
pub fn took(milliseconds: u64) -> String {
    match milliseconds {
        0 => "under 1 ms".to_owned(),
        1..=999 => format!("{milliseconds} ms"),
        1000..=59_949 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        _ => {
            let seconds = (milliseconds + 500) / 1000;
            match (seconds / 60, seconds % 60) {
                (minutes, 0) => format!("{minutes} min"),
                (minutes, seconds) => format!("{minutes} min {seconds} s"),
            }
        }
    }
}

/// Whether giving it up undoes something that somebody notices: then it is asked first.
pub fn cancelling_costs(job: &Job) -> bool {
    use api::JobPhase::{Checking, Preparing, Waiting};
    !matches!(job.phase, Waiting | Checking | Preparing)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use api::{JobPhase, Timestamp};

    /// The n-th job, which was asked for in the n-th second.
    pub fn job(n: u8, state: JobState) -> Job {
        let at = Timestamp::from_second(n.into()).unwrap();
        serde_json::from_value(serde_json::json!({
            "id": format!("00000000-0000-4000-8000-0000000000{n:02}"),
            "kind": "coldMigration", "state": state, "phase": "transferring", "message": "",
            "progress": null, "router": format!("00000000-0000-4000-9000-0000000000{n:02}"),
            "routerName": format!("r{n}"), "source": "a", "destination": "b",
            "requestedBy": "ann", "createdAt": at, "startedAt": at, "changedAt": at,
            "finishedAt": state.is_over().then_some(at), "cancellable": true,
            "cancelRequested": false, "migration": null, "error": null, "pending": [], "steps": []
        }))
        .unwrap()
    }

    fn progress(done: u64, total: u64) -> JobProgress {
        JobProgress {
            done_bytes: done,
            total_bytes: total,
            bytes_per_second: None,
            seconds_left: None,
            iteration: None,
        }
    }

    #[test]
    fn progress_says_what_is_known() {
        assert_eq!(how_far(&progress(0, 0)), "");
        assert_eq!(how_far(&progress(12 << 20, 64 << 20)), "12 MiB of 64 MiB");
        let all = JobProgress {
            bytes_per_second: Some(5_000_000),
            seconds_left: Some(4),
            iteration: Some(2),
            ..progress(70 << 20, 64 << 20)
        };
        assert_eq!(
            how_far(&all),
            "64 MiB of 64 MiB · 5 MB/s · 4 s left · round 2"
        );
    }

    #[test]
    fn times_are_never_shorter_than_they_are() {
        assert_eq!(left(0), "nearly done");
        assert_eq!(left(119), "119 s left");
        assert_eq!(left(121), "3 min left");
        assert_eq!(left(7200), "2 h left");
        assert_eq!(took(340), "340 ms");
        assert_eq!(took(3140), "3.1 s");
        assert_eq!(took(59_949), "59.9 s");
        assert_eq!(took(59_950), "1 min");
        assert_eq!(took(245_000), "4 min 5 s");
    }

    #[test]
    fn an_end_is_told_by_its_state() {
        assert_eq!(ended(&job(1, JobState::Succeeded)), "r1 is on b now.");
        assert!(ended(&job(1, JobState::Failed)).contains("could not be moved to b"));
        assert_eq!(title(&job(1, JobState::Running)), "Cold migration of r1");
        let mut early = job(1, JobState::Running);
        assert!(cancelling_costs(&early));
        early.phase = JobPhase::Preparing;
        assert!(!cancelling_costs(&early));
    }
}
