//! What everything uses and carries now, in columns: it is asked for with every tick, for thousands
//! of elements.

use api::{Flow, GetLoadReply, HostId, LinkId, RouterId, Timestamp};
use serde::{Deserialize, Serialize};

/// The present load. Of each kind the columns are equally long; what is not known is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The topology's version.
    pub version: u64,
    /// When the reply was made.
    pub as_of: Timestamp,
    /// Whether anything of it was made up for the demo fleet.
    pub simulated: bool,
    /// The hosts that are measured.
    pub hosts: Vec<HostId>,
    /// The share of each host's processors that is in use, 0 to 1.
    pub host_cpu: Vec<Option<f32>>,
    /// The share of each host's memory that is in use, 0 to 1.
    pub host_memory: Vec<Option<f32>>,
    /// The routers that are measured.
    pub routers: Vec<RouterId>,
    /// The share of each router's virtual processors that is in use, 0 to 1.
    pub router_cpu: Vec<Option<f32>>,
    /// The links of which is counted what they carry.
    pub links: Vec<LinkId>,
    /// What each carries from its end `a` to `b`, in bits a second.
    pub a_to_b: Vec<Option<f32>>,
    /// What each carries from its end `b` to `a`, in bits a second.
    pub b_to_a: Vec<Option<f32>>,
    /// The capacity of each, in bits a second: what is carried as a part of it is its utilisation.
    pub capacity: Vec<Option<u64>>,
}

impl Load {
    /// Puts it into columns.
    pub fn new(reply: GetLoadReply) -> Self {
        let rate = |flow: &Option<Flow>| flow.as_ref().map(|flow| flow.bits_per_second as f32);
        let hosts = &reply.hosts;
        let (routers, links) = (&reply.routers, &reply.links);
        Self {
            version: reply.version,
            as_of: reply.as_of,
            simulated: hosts.iter().any(|host| host.simulated)
                || routers.iter().any(|router| router.simulated)
                || links.iter().any(|link| link.simulated),
            host_cpu: hosts.iter().map(|host| share(host.cpu_share)).collect(),
            host_memory: (hosts.iter())
                .map(|host| {
                    let all = host.memory_bytes.filter(|all| *all > 0)?;
                    share(Some(host.memory_used_bytes? as f64 / all as f64))
                })
                .collect(),
            router_cpu: (routers.iter().map(|router| share(router.cpu_share))).collect(),
            a_to_b: links.iter().map(|link| rate(&link.a_to_b)).collect(),
            b_to_a: links.iter().map(|link| rate(&link.b_to_a)).collect(),
            capacity: (links.iter().map(|link| link.capacity_bits_per_second)).collect(),
            hosts: reply.hosts.into_iter().map(|host| host.host).collect(),
            routers: (reply.routers.into_iter().map(|router| router.router)).collect(),
            links: reply.links.into_iter().map(|link| link.link).collect(),
        }
    }
}

/// To a thousandth: no more is ever shown.
fn share(share: Option<f64>) -> Option<f32> {
    Some(((share? * 1e3).round() / 1e3) as f32)
}
