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
#[derive(Debug)]
pub(crate) struct Place {
    turns: Arc<Turns>,
    job: JobId,
    hosts: Vec<HostId>,
}

impl Turns {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit: limit.max(1),
            queue: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Joins the queue, at its end.
    pub fn join(self: &Arc<Self>, job: JobId, hosts: &[HostId]) -> Place {
        self.queue().waiting.push((job, hosts.to_vec()));
        Place {
            turns: Arc::clone(self),
            job,
            hosts: hosts.to_vec(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until all of these hosts have room for one more, and nobody who came before waits for
    /// one of them.
    pub async fn turn(self) -> Turn {
        loop {
            let changed = self.turns.changed.notified();
            if self.turns.queue().admit(self.job, self.turns.limit) {
                return Turn {
                    turns: Arc::clone(&self.turns),
                    hosts: self.hosts.clone(),
                };
            }
            changed.await;
        }
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

impl Drop for Place {
    fn drop(&mut self) {
        let mut queue = self.turns.queue();
        queue.waiting.retain(|(job, _)| *job != self.job);
        drop(queue);
        self.turns.changed.notify_waiters();
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
        let first = turns.join(job(1), &ab).turn().await;
        let mut second = Box::pin(turns.join(job(2), &bc).turn());
        assert!((&mut second).now_or_never().is_none());
        // It wants a host that one who came before waits for.
        let mut third = Box::pin(turns.join(job(3), &cd).turn());
        assert!((&mut third).now_or_never().is_none());
        let fourth = turns.join(job(4), &ef).turn().await;
        drop(first);
        let second = second.await;
        assert!((&mut third).now_or_never().is_none());
        drop(second);
        drop((third.await, fourth));
    }

    #[tokio::test]
    async fn it_counts_who_joined_first_not_who_asked_first() {
        let turns = Turns::new(1);
        let ab = hosts("ab");
        let [first, second] = [1, 2].map(|number| turns.join(job(number), &ab));
        let mut second = Box::pin(second.turn());
        assert!((&mut second).now_or_never().is_none());
        let first = first.turn().now_or_never().unwrap();
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        drop(second.await);
    }

    #[tokio::test]
    async fn who_leaves_the_queue_holds_nobody_up() {
        let turns = Turns::new(1);
        let [ab, bc, c] = ["ab", "bc", "c"].map(hosts);
        let first = turns.join(job(1), &ab).turn().await;
        let mut second = Box::pin(turns.join(job(2), &bc).turn());
        assert!((&mut second).now_or_never().is_none());
        let mut third = Box::pin(turns.join(job(3), &c).turn());
        assert!((&mut third).now_or_never().is_none());
        drop(second);
        drop((third.await, first));
    }
}
