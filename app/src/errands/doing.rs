//! Doing something to routers, one after the other, and telling what came of it.

use super::{Target, words};
use crate::{
    Failure,
    clock::sleep,
    jobs::Desk,
    moving::acts::{Deed, How},
    server_functions::act_on_router,
};
use api::JobId;
use graph::NodeState;
use leptos::prelude::*;
use std::time::Duration;

/// So often it is looked whether a job has ended: for a minute.
const LOOKS: u32 = 200;

/// What came of it.
#[derive(Default)]
pub struct Outcome {
    /// The routers that it was done to.
    pub done: Vec<String>,
    /// Why it was not done to others.
    pub failed: Vec<(String, Failure)>,
}

/// Does it to each; `step` hears after each how many are behind.
pub async fn carry_out(
    desk: Desk,
    deed: Deed,
    how: How,
    targets: Vec<Target>,
    step: impl Fn(usize),
) -> Outcome {
    let mut outcome = Outcome::default();
    let count = targets.len();
    for (behind, target) in targets.into_iter().enumerate() {
        let (router, name) = target.router;
        // What is off needs no force, and what runs was said to be switched off.
        let off = matches!(target.state, NodeState::Stopped | NodeState::Failed);
        let how = How {
            force: how.force || deed == Deed::Delete && !off,
            ..how
        };
        match act_on_router(router, deed, how).await {
            Ok(acted) => {
                if let Some(job) = acted.job {
                    desk.hear(&job);
                    // What goes with one router, links above all, is in the next one's way.
                    if deed == Deed::Delete && behind + 1 < count {
                        ended(desk, job.id).await;
                    }
                }
                outcome.done.push(name);
            }
            Err(failure) => outcome.failed.push((name, failure)),
        }
        step(behind + 1);
    }
    outcome
}

/// Waits until a job has ended, but not forever.
async fn ended(desk: Desk, job: JobId) {
    for _ in 0..LOOKS {
        let is_over = desk.known.try_with_untracked(|known| {
            let job = known.job(job);
            job.is_none_or(|job| job.state.is_over())
        });
        if is_over != Some(false) {
            return;
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// Tells it in passing. What a job does is told by the job.
pub fn tell(desk: Desk, deed: Deed, outcome: &Outcome) {
    let done: Vec<_> = outcome.done.iter().map(String::as_str).collect();
    let by_job = matches!(deed, Deed::Shutdown | Deed::Delete);
    if !done.is_empty() && !by_job {
        let (who, are) = (
            words::names(&done),
            if done.len() == 1 { "is" } else { "are" },
        );
        desk.tell(None, true, format!("{who} {are} {}.", deed.done()));
    }
    if let [(name, failure), more @ ..] = &outcome.failed[..] {
        let more = match more.len() {
            0 => String::new(),
            more => format!(" And {more} more could not."),
        };
        desk.tell(None, false, format!("{name}: {failure}{more}"));
    }
}
