//! What the page asks the server: thin adapters over `api::Operations`, with the caller from the
//! request's context.
//!
//! Reading goes by GET, acting by POST. Each reply that a page keeps carries the topology's
//! version, read *before* the rest, so that the page knows from which event on to look again.

// The macro makes a public struct of each function's arguments, which are documented by their types.
#![allow(missing_docs)]

mod facts;
mod load;
mod provisioning;
mod series;

pub use facts::{
    Attachments, EndFacts, Fleet, HostFacts, HostTable, LinkFacts, LinkLine, Named, PathEnds,
    PathFacts, RouterFacts, RouterRow, RouterTable, SegmentFacts,
};
pub use load::Load;
pub use provisioning::*;
pub use series::{InterfaceHistory, Range, RouterHistory, Series};

use crate::{
    Element, Failure,
    moving::acts::{Acted, Deed, How},
    wire::{Acting, Reading},
};
use api::{
    CancelJobReply, CheckHostReply, CheckMigrationReply, EndpointAddress, HostId, JobId, LinkId,
    ListJobsReply, MacAddress, MigrateRouterReply, MigrationMode, PathMetric, RegisterHostReply,
    RemoveHostReply, RouterId, SegmentId, SetHostMaintenanceReply, TopologyView,
};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use self::{facts::Names, server::Door};

/// The fleet in numbers, for the bar at the top of every page.
#[server(name = ReadFleet, prefix = "/api", endpoint = "fleet", protocol = Reading)]
pub async fn fleet() -> Result<Fleet, Failure> {
    let door = Door::open()?;
    let topology = door.topology(TopologyView::Combined).await?;
    let has_jobs = !door.jobs(1).await?.jobs.is_empty();
    Ok(Fleet {
        has_jobs,
        ..Fleet::of(door.run(), &topology)
    })
}

/// The topology's present version.
#[server(name = ReadTopologyVersion, prefix = "/api", endpoint = "topology_version", protocol = Reading)]
pub async fn topology_version() -> Result<u64, Failure> {
    Ok(Door::open()?
        .topology(TopologyView::Combined)
        .await?
        .version)
}

/// One router, its measurements, and what it is linked to.
#[server(name = ReadRouterStatus, prefix = "/api", endpoint = "router_status", protocol = Reading)]
pub async fn router_status(id: RouterId) -> Result<RouterFacts, Failure> {
    let door = Door::open()?;
    let topology = door.topology(TopologyView::Combined).await?;
    let status = door.router_status(id).await?;
    Ok(RouterFacts::new(&topology, status))
}

/// One host, what it uses, its routers and links.
#[server(name = ReadHostFacts, prefix = "/api", endpoint = "host_facts", protocol = Reading)]
pub async fn host_facts(id: HostId) -> Result<HostFacts, Failure> {
    let door = Door::open()?;
    let topology = door.topology(TopologyView::Combined).await?;
    let status = door.host_status(id).await?;
    Ok(HostFacts::new(&topology, status))
}

/// One link and what its ends carry.
#[server(name = ReadLinkFacts, prefix = "/api", endpoint = "link_facts", protocol = Reading)]
pub async fn link_facts(id: LinkId) -> Result<LinkFacts, Failure> {
    let door = Door::open()?;
    let topology = door.topology(TopologyView::Combined).await?;
    let Some(link) = topology.links.iter().find(|link| link.id == id) else {
        return Err(door.not_found("link", &id));
    };
    let names = Names::of(&topology);
    Ok(LinkFacts {
        version: topology.version,
        as_of: topology.as_of,
        a: door.end(&topology, &names, &link.a).await,
        b: door.end(&topology, &names, &link.b).await,
        segment: link
            .segment
            .as_ref()
            .and_then(|id| topology.segments.iter().find(|segment| segment.id == *id))
            .cloned(),
        link: link.clone(),
    })
}

/// One segment and who is on it.
#[server(name = ReadSegmentFacts, prefix = "/api", endpoint = "segment_facts", protocol = Reading)]
pub async fn segment_facts(id: SegmentId) -> Result<SegmentFacts, Failure> {
    let door = Door::open()?;
    let topology = door.topology(TopologyView::Combined).await?;
    let Some(segment) = topology.segments.iter().find(|segment| segment.id == id) else {
        return Err(door.not_found("segment", &id));
    };
    let names = Names::of(&topology);
    let mut members = Vec::with_capacity(segment.members.len());
    for member in &segment.members {
        members.push(door.end(&topology, &names, member).await);
    }
    Ok(SegmentFacts {
        version: topology.version,
        as_of: topology.as_of,
        hosts: segment
            .hosts
            .iter()
            .map(|id| (id.clone(), names.of_host(id)))
            .collect(),
        members,
        segment: segment.clone(),
    })
}

/// The best paths between two elements, the best first, or why there is none.
#[server(name = FindPaths, prefix = "/api", endpoint = "find_paths", protocol = Reading)]
pub async fn find_paths(
    from: Element,
    to: Element,
    view: TopologyView,
    metric: PathMetric,
    alternatives: u32,
    #[server(default)] avoid: Vec<Element>,
    #[server(default)] include_down: bool,
) -> Result<PathFacts, Failure> {
    let door = Door::open()?;
    let topology = door.topology(TopologyView::Combined).await?;
    let request = api::FindPathsRequest {
        origin: from.clone().into(),
        destination: to.clone().into(),
        view: Some(view),
        metric: Some(metric),
        alternatives: Some(alternatives),
        avoid: avoid.into_iter().map(Into::into).collect(),
        include_down: Some(include_down),
    };
    let found = door.find_paths(request).await?;
    Ok(PathFacts::new(&topology, [from, to], found))
}

/// Where paths from an element can end, as far as a view shows it.
#[server(name = ReadPathEnds, prefix = "/api", endpoint = "path_ends", protocol = Reading)]
pub async fn path_ends(from: Element, view: TopologyView) -> Result<PathEnds, Failure> {
    let door = Door::open()?;
    let all = door.topology(TopologyView::Combined).await?;
    let topology = door.topology(view).await?;
    Ok(PathEnds::new(&all, &topology, from))
}

/// What hosts, routers and links of a view use and carry now.
#[server(name = ReadLoad, prefix = "/api", endpoint = "load", protocol = Reading)]
pub async fn load(view: TopologyView) -> Result<Load, Failure> {
    Door::open()?.load(view).await
}

/// All hosts.
#[server(name = ReadHosts, prefix = "/api", endpoint = "list_hosts", protocol = Reading)]
pub async fn list_hosts() -> Result<HostTable, Failure> {
    let door = Door::open()?;
    let version = door.topology(TopologyView::Physical).await?.version;
    door.hosts(version).await
}

/// All routers, in short.
#[server(name = ReadRouters, prefix = "/api", endpoint = "list_routers", protocol = Reading)]
pub async fn list_routers() -> Result<RouterTable, Failure> {
    let door = Door::open()?;
    let topology = door.topology(TopologyView::Combined).await?;
    door.routers(&topology).await
}

/// Processor and traffic of a router over a span of time that ends now.
#[server(name = ReadRouterHistory, prefix = "/api", endpoint = "router_history", protocol = Reading)]
pub async fn router_history(router: RouterId, range: Range) -> Result<RouterHistory, Failure> {
    Door::open()?.router_history(router, range).await
}

/// Traffic of one interface over a span of time that ends now.
#[server(name = ReadInterfaceHistory, prefix = "/api", endpoint = "interface_history", protocol = Reading)]
pub async fn interface_history(
    router: RouterId,
    interface: MacAddress,
    range: Range,
) -> Result<InterfaceHistory, Failure> {
    Door::open()?
        .interface_history(router, interface, range)
        .await
}

/// What interfaces of a router can be connected to on its host, as far as is known.
#[server(name = ReadAttachments, prefix = "/api", endpoint = "attachments", protocol = Reading)]
pub async fn attachments(router: RouterId) -> Result<Attachments, Failure> {
    let door = Door::open()?;
    let topology = door.topology(TopologyView::Combined).await?;
    Ok(Attachments::of(&topology, router))
}

/// Does something to a router: at once, or in a job. The arguments are the fields of a form.
#[server(name = ActOnRouter, prefix = "/api", endpoint = "act_on_router", protocol = Acting)]
pub async fn act_on_router(
    router: RouterId,
    deed: Deed,
    #[server(default)] how: How,
) -> Result<Acted, Failure> {
    Door::open()?.act(router, deed, how).await
}

/// Where a router can be moved to, of all other hosts; it asks hosts, so it is no reading.
#[server(name = CheckMigration, prefix = "/api", endpoint = "check_migration", protocol = Acting)]
pub async fn check_migration(
    router: RouterId,
    mode: Option<MigrationMode>,
) -> Result<CheckMigrationReply, Failure> {
    Door::open()?.check_migration(router, mode).await
}

/// Moves a router to another host, in a job.
#[server(name = MigrateRouter, prefix = "/api", endpoint = "migrate_router", protocol = Acting)]
pub async fn migrate_router(
    router: RouterId,
    destination: HostId,
    mode: Option<MigrationMode>,
    bandwidth: Option<u64>,
    downtime: Option<u64>,
    shutdown: Option<u32>,
) -> Result<MigrateRouterReply, Failure> {
    let request = api::MigrateRouterRequest {
        router,
        destination,
        mode,
        bandwidth_mebibytes_per_second: bandwidth,
        maximum_downtime_milliseconds: downtime,
        shutdown_seconds: shutdown,
        request_id: None,
    };
    Door::open()?.migrate(request).await
}

/// Keeps a host free of what is new, or takes it back into use.
#[server(name = SetHostMaintenance, prefix = "/api", endpoint = "set_host_maintenance", protocol = Acting)]
pub async fn set_host_maintenance(
    host: HostId,
    maintenance: bool,
    reason: Option<String>,
) -> Result<SetHostMaintenanceReply, Failure> {
    Door::open()?
        .set_maintenance(host, maintenance, reason)
        .await
}

/// The newest jobs.
#[server(name = ReadJobs, prefix = "/api", endpoint = "list_jobs", protocol = Reading)]
pub async fn list_jobs(limit: u32) -> Result<ListJobsReply, Failure> {
    Door::open()?.jobs(limit).await
}

/// Asks that a job be given up.
#[server(name = CancelJob, prefix = "/api", endpoint = "cancel_job", protocol = Acting)]
pub async fn cancel_job(job: JobId) -> Result<CancelJobReply, Failure> {
    Door::open()?.cancel(job).await
}

/// Takes a host into the fleet. The arguments are the fields of a form, which may hold more than
/// fits.
#[server(name = RegisterHost, prefix = "/api", endpoint = "register_host", protocol = Acting)]
pub async fn register_host(
    host: String,
    name: Option<String>,
    site: Option<String>,
    endpoints: Vec<EndpointAddress>,
) -> Result<RegisterHostReply, Failure> {
    Door::open()?.register(&host, name, site, endpoints).await
}

/// Lets a host go.
#[server(name = RemoveHost, prefix = "/api", endpoint = "remove_host", protocol = Acting)]
pub async fn remove_host(host: HostId) -> Result<RemoveHostReply, Failure> {
    Door::open()?.remove(host).await
}

/// Tries an endpoint step by step, and changes nothing; it asks a host, so it is no reading.
#[server(name = CheckHost, prefix = "/api", endpoint = "check_host", protocol = Acting)]
pub async fn check_host(endpoint: EndpointAddress) -> Result<CheckHostReply, Failure> {
    Door::open()?.check(endpoint).await
}

#[cfg(feature = "ssr")]
mod server;
