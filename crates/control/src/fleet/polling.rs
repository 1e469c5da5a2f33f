//! What is asked of an endpoint at intervals, each by a loop of its own on the polling connection:
//!
//! | loop | when | what | if it hangs |
//! |---|---|---|---|
//! | samples | every tick | counters that the host knows by itself | the host is degraded |
//! | details | every third tick, half a tick later | what only the domains' processes know | the domain that sticks is quarantined |
//! | facts | every facts interval | states of the host's interfaces, for which libvirt has no event | the next time counts |
//!
//! So what is dear or may hang never holds up a tick. Half a tick lies between the two kinds of
//! samples so that they do not meet.

use super::{EndpointContact, Line, Surroundings};
use crate::measurement::{self, Kind};
use jiff::Timestamp;
use libvirt::{Capability, Connection, DomainStats, Error, StatsGroups};
use model::{HostId, HostInterface, RouterId};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinSet};

/// What a loop tells the supervisor.
#[derive(Debug)]
pub(crate) enum Polled {
    /// The last tick was answered, or why not.
    Samples(Result<(), Error>),
    /// The last details were answered, or why not.
    Details(Result<(), Error>),
    /// What is wrong with domains, and with which.
    Sticking(BTreeMap<RouterId, String>),
    /// The host's interfaces, and when they were asked for.
    Interfaces(Vec<HostInterface>, Timestamp),
}

/// An endpoint, and whom to tell.
#[derive(Clone, Debug)]
pub(crate) struct Polling {
    pub host: HostId,
    pub driver: libvirt::Driver,
    pub line: Arc<Line>,
    pub contact: Arc<EndpointContact>,
    pub surroundings: Arc<Surroundings>,
    pub polled: mpsc::Sender<Polled>,
}

impl Polling {
    /// Starts the loops. They end with the set.
    pub fn start(self) -> JoinSet<()> {
        let mut loops = JoinSet::new();
        loops.spawn(self.clone().samples());
        if self.surroundings.sampler.records() {
            loops.spawn(self.clone().details());
        }
        if self.driver.supports(Capability::HostInterfaces) {
            loops.spawn(self.facts());
        }
        loops
    }

    async fn tell(&self, polled: Polled) {
        // Without a supervisor this loop is ended too.
        let _ = self.polled.send(polled).await;
    }

    async fn samples(self) {
        loop {
            let at = measurement::next_tick(self.surroundings.sample_interval).await;
            let sampled = self.sample(at).await;
            self.tell(Polled::Samples(sampled)).await;
        }
    }

    async fn sample(&self, at_ms: i64) -> Result<(), Error> {
        let connection = self.line.connection().await?;
        let sampler = &self.surroundings.sampler;
        if !sampler.records() {
            return connection.hostname().await.map(drop);
        }
        let stats = self.stats(&connection, StatsGroups::CHEAP).await?;
        sampler.record(&self.host, self.driver, Kind::Samples, at_ms, &stats);
        let node = measurement::node(&connection).await?;
        sampler.record_node(&self.host, at_ms, node);
        Ok(())
    }

    async fn details(self) {
        let mut questions = JoinSet::new();
        let mut told = BTreeMap::new();
        loop {
            let interval = self.surroundings.sampler.details_interval();
            let tick = measurement::next_tick(interval).await;
            let later = self.surroundings.sample_interval / 2;
            tokio::time::sleep(later).await;
            let at_ms = tick + i64::try_from(later.as_millis()).unwrap_or(0);
            let detailed = self.detail(at_ms, &mut questions).await;
            let now = self.contact.messages();
            if now != told {
                told.clone_from(&now);
                self.tell(Polled::Sticking(now)).await;
            }
            self.tell(Polled::Details(detailed)).await;
        }
    }

    async fn detail(&self, at_ms: i64, questions: &mut JoinSet<()>) -> Result<(), Error> {
        let connection = self.line.connection().await?;
        let stats = match self.stats(&connection, StatsGroups::DEAR).await {
            Err(Error::Deadline { domain, .. }) => {
                self.contact.hung(domain.map(RouterId));
                // One process that does not answer is why: with a call waiting for it already, the
                // next one does without it, and tells by that which it may be.
                let connection = self.line.connection().await?;
                self.stats(&connection, StatsGroups::DEAR).await?
            }
            other => other?,
        };
        let told = stats
            .iter()
            .filter_map(|of| Some((RouterId(of.uuid), of.answered?)));
        let doubted = self.contact.polled(told);
        let active = self.surroundings.sampler.active(&self.host, self.driver);
        self.contact.retain(|id| active.contains(&id));
        self.surroundings
            .sampler
            .record(&self.host, self.driver, Kind::Details, at_ms, &stats);
        self.ask_those_that_stick(&connection).await;
        while questions.try_join_next().is_some() {}
        for id in doubted {
            questions.spawn(self.clone().ask_alone(connection.clone(), id));
        }
        Ok(())
    }

    /// Statistics of all domains. With a driver that is asked domain by domain, those that stick
    /// are left out, and one that hangs is known and left out the second time.
    async fn stats(
        &self,
        connection: &Connection,
        groups: StatsGroups,
    ) -> Result<Vec<DomainStats>, Error> {
        if self.driver.supports(Capability::BulkStats) {
            return connection.domain_stats(groups).await;
        }
        if self.contact.messages().is_empty() {
            match connection.domain_stats(groups).await {
                Err(Error::Deadline {
                    domain: Some(domain),
                    ..
                }) => self.contact.hung(Some(RouterId(domain))),
                other => return other,
            }
        }
        let mut active = self.surroundings.sampler.active(&self.host, self.driver);
        active.retain(|id| !self.contact.sticks(*id));
        let active: Vec<_> = active.into_iter().map(|id| id.0).collect();
        let connection = self.line.connection().await?;
        connection.domain_stats_of(&active, groups).await
    }

    /// Whether the process of a domain that was left out is busy or frozen. That takes its time, so
    /// nobody waits for it.
    async fn ask_alone(self, connection: Connection, id: RouterId) {
        let asked = connection.domain_stats_when_free(id.0, StatsGroups::DEAR);
        match asked.await {
            Ok(_) => self.contact.answered(id),
            Err(Error::Deadline { .. }) => {
                self.contact.hung(Some(id));
                self.tell(Polled::Sticking(self.contact.messages())).await;
            }
            Err(error) => tracing::debug!(host = %self.host, router = %id, %error, "it is silent"),
        }
    }

    /// Asks those that stick, one at a time, whether they answer again. Where all are asked at once
    /// they are among these.
    async fn ask_those_that_stick(&self, connection: &Connection) {
        if self.driver.supports(Capability::BulkStats) {
            return;
        }
        for id in self.contact.messages().into_keys() {
            // One call that hangs already is enough to wait for.
            if connection.hanging() > 0 {
                return;
            }
            match connection
                .domain_stats_of(&[id.0], StatsGroups::CHEAP)
                .await
            {
                Ok(_) => self.contact.answered(id),
                Err(error) => tracing::debug!(host = %self.host, router = %id, %error, "it sticks"),
            }
        }
    }

    async fn facts(self) {
        let mut ticks = tokio::time::interval(self.surroundings.facts_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let asked = Timestamp::now();
            let listed = async {
                let connection = self.line.connection().await?;
                super::inventory::interfaces(&connection).await
            };
            match listed.await {
                Ok(interfaces) => self.tell(Polled::Interfaces(interfaces, asked)).await,
                // Whether the host answers is seen by its samples.
                Err(error) => {
                    tracing::debug!(host = %self.host, %error, "the interfaces are not told");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}
