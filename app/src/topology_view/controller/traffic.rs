//! How busy things are, and what links carry: the present load, to be asked for by id.

use crate::server_functions::Load;
use graph::query::Numbers;
use std::collections::HashMap;

/// What one link carries: from its first end, and from its second. What is not known is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Carried {
    /// In bit/s.
    pub rates: [Option<f32>; 2],
    /// As a part of the link's capacity.
    pub shares: [Option<f32>; 2],
}

/// What each link carries, by id.
pub(super) fn links(load: &Load) -> HashMap<String, Carried> {
    let rate = |rates: &[Option<f32>], index| rates.get(index).copied().flatten();
    load.links
        .iter()
        .enumerate()
        .map(|(index, id)| {
            let capacity = load.capacity.get(index).copied().flatten();
            let capacity = capacity.filter(|capacity| *capacity > 0);
            let rates = [rate(&load.a_to_b, index), rate(&load.b_to_a, index)];
            let share = |rate: Option<f32>| Some(rate? / capacity? as f32);
            let shares = rates.map(share);
            (format!("link:{id}"), Carried { rates, shares })
        })
        .collect()
}

/// How busy things are, as queries ask for it.
pub(super) struct Busy(HashMap<String, f32>);

impl Busy {
    /// Of hosts and routers as they are measured, of links by the direction that is used more.
    pub fn new(load: &Load, links: &HashMap<String, Carried>) -> Self {
        let hosts = load.hosts.iter().map(|id| format!("host:{id}"));
        let routers = load.routers.iter().map(|id| format!("router:{id}"));
        let measured = hosts
            .zip(&load.host_cpu)
            .chain(routers.zip(&load.router_cpu))
            .map(|(id, share)| (id, *share));
        let links = links.iter().map(|(id, carried)| {
            let shares = carried.shares.into_iter().flatten();
            (id.clone(), shares.reduce(f32::max))
        });
        let known = measured
            .chain(links)
            .filter_map(|(id, share)| Some((id, share?)));
        Self(known.collect())
    }
}

impl Numbers for Busy {
    fn load(&self, id: &str) -> Option<f32> {
        self.0.get(id).copied()
    }
}
