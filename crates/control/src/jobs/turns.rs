//! Whose turn it is: so many jobs a host at once, first come, first served.

use api::JobId;
use model::HostId;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// The turns of all jobs.
#[derive(Debug)]
pub(crate) struct Turns {
    /// How many jobs may act on one host at once.
    limit: usize,
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    acting: BTreeMap<HostId, usize>,
    /// In the order in which they came.
    waiting: Vec<(JobId, Vec<HostId>)>,
}

/// A job's turn: over when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    hosts: Vec<HostId>,
}

/// A place in the queue: given up when dropped.
struct Place<'a>(&'a Turns, JobId);

impl Turns {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit: limit.max(1),
            queue: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Waits until all of these hosts have room for one more, and nobody who came before waits for
    /// one of them.
    pub async fn take(self: &Arc<Self>, job: JobId, hosts: &[HostId]) -> Turn {
        self.queue().waiting.push((job, hosts.to_vec()));
        let place = Place(self, job);
        loop {
            let changed = self.changed.notified();
            if self.queue().admit(job, self.limit) {
                drop(place);
                return Turn {
                    turns: Arc::clone(self),
                    hosts: hosts.to_vec(),
                };
            }
            changed.await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn admit(&mut self, job: JobId, limit: usize) -> bool {
        let Some(at) = self.waiting.iter().position(|(id, _)| *id == job) else {
            return false;
        };
        let (earlier, hosts) = (&self.waiting[..at], &self.waiting[at].1);
        let is_free = |host: &HostId| {
            let acting = self.acting.get(host).copied().unwrap_or_default();
            let is_wanted = earlier.iter().any(|(_, wanted)| wanted.contains(host));
            acting < limit && !is_wanted
        };
        if !hosts.iter().all(is_free) {
            return false;
        }
        let (_, hosts) = self.waiting.remove(at);
        for host in hosts {
            *self.acting.entry(host).or_default() += 1;
        }
        true
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.queue().waiting.retain(|(job, _)| *job != self.1);
        self.0.changed.notify_waiters();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = self.turns.queue();
        for host in &self.hosts {
            if let Some(acting) = queue.acting.get_mut(host) {
                *acting = acting.saturating_sub(1);
            }
        }
        drop(queue);
        self.turns.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use uuid::Uuid;

    fn hosts(names: &str) -> Vec<HostId> {
        names.chars().map(|c| HostId::new(c.to_string())).collect()
    }

    fn job(number: u128) -> JobId {
        JobId(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn a_host_has_so_many_at_once_and_nobody_overtakes() {
        let turns = Turns::new(1);
        let [ab, bc, cd, ef] = ["ab", "bc", "cd", "ef"].map(hosts);
        let first = turns.take(job(1), &ab).await;
        let mut second = Box::pin(turns.take(job(2), &bc));
        assert!((&mut second).now_or_never().is_none());
        // It wants a host that one who came before waits for.
        let mut third = Box::pin(turns.take(job(3), &cd));
        assert!((&mut third).now_or_never().is_none());
        let fourth = turns.take(job(4), &ef).await;
        drop(first);
        let second = second.await;
        assert!((&mut third).now_or_never().is_none());
        drop(second);
        drop((third.await, fourth));
    }

    #[tokio::test]
    async fn who_leaves_the_queue_holds_nobody_up() {
        let turns = Turns::new(1);
        let [ab, bc, c] = ["ab", "bc", "c"].map(hosts);
        let first = turns.take(job(1), &ab).await;
        let mut second = Box::pin(turns.take(job(2), &bc));
        assert!((&mut second).now_or_never().is_none());
        let mut third = Box::pin(turns.take(job(3), &c));
        assert!((&mut third).now_or_never().is_none());
        drop(second);
        drop((third.await, first));
    }
}
