//! Serves the page over a graph from a file, for benchmarks of the picture: the whole of it is one
//! view, and nothing in it ever changes.
//!
//! ```text
//! cargo run -p server --example graph_server -- GRAPH.json 127.0.0.1:8081
//! ```
//!
//! The graph is that of `bench/view/graph.py`. Each of its nodes is drawn as one: spines, leaves and
//! hosts as hosts, bridges as segments, all else as routers, in `/?view=virtual`. `/places.json` tells
//! where the page draws them, so that other programs can draw the same picture.

use api::{
    AttachInterfaceReply, AttachInterfaceRequest, BeginImageUploadReply, BeginImageUploadRequest,
    ByteStream, Caller, CancelImageUploadReply, CancelImageUploadRequest, CancelJobReply,
    CancelJobRequest, Channel, CheckCreationReply, CheckCreationRequest, CheckHostReply,
    CheckHostRequest, CheckMigrationReply, CheckMigrationRequest, Conflict, CreateRouterReply,
    CreateRouterRequest, CreateVirtualLinkReply, CreateVirtualLinkRequest, DeleteImageReply,
    DeleteImageRequest, DeleteRouterReply, DeleteRouterRequest, DeleteVirtualLinkReply,
    DeleteVirtualLinkRequest, DescribeImageReply, DescribeImageRequest, DestroyRouterReply,
    DestroyRouterRequest, DetachInterfaceReply, DetachInterfaceRequest, DistributeImageReply,
    DistributeImageRequest, Driver, Error, EventStream, EvictImageReply, EvictImageRequest,
    FindPathsReply, FindPathsRequest, GetHostStatusReply, GetHostStatusRequest, GetImageReply,
    GetImageRequest, GetImageUploadReply, GetImageUploadRequest, GetJobReply, GetJobRequest,
    GetLoadReply, GetLoadRequest, GetRouterStatusReply, GetRouterStatusRequest, GetTopologyReply,
    GetTopologyRequest, Host, HostFreshness, HostId, HostOrigin, HostState, ImportImageReply,
    ImportImageRequest, Link, LinkEnd, LinkKind, LinkState, ListHostsReply, ListHostsRequest,
    ListImagesReply, ListImagesRequest, ListImportFilesReply, ListImportFilesRequest,
    ListJobsReply, ListJobsRequest, ListRoutersReply, ListRoutersRequest, ListVirtualLinksReply,
    ListVirtualLinksRequest, MigrateRouterReply, MigrateRouterRequest, NotFound, QueryHistoryReply,
    QueryHistoryRequest, RebootRouterReply, RebootRouterRequest, RegisterHostReply,
    RegisterHostRequest, RemoveHostReply, RemoveHostRequest, ResetRouterReply, ResetRouterRequest,
    ResizeRouterReply, ResizeRouterRequest, ResumeRouterReply, ResumeRouterRequest, Router,
    RouterId, RouterState, Segment, SegmentKind, SetHostMaintenanceReply,
    SetHostMaintenanceRequest, ShutdownRouterReply, ShutdownRouterRequest, StartRouterReply,
    StartRouterRequest, SuspendRouterReply, SuspendRouterRequest, Timestamp, TopologyView,
    UploadPart,
};
use app::topology_view::Pictures as _;
use axum::{Json, routing::get};
use graph::End;
use serde::Deserialize;
use server::web::{PictureCache, Web, router};
use std::{collections::HashMap, error::Error as StdError, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(listen)) = (arguments.next(), arguments.next()) else {
        return Err("graph_server GRAPH.json ADDRESS:PORT".into());
    };
    let graph: Graph = serde_json::from_slice(&std::fs::read(file)?)?;
    let operations = Arc::new(Fixed {
        topology: Arc::new(topology(&graph)?),
    });
    let (_ready, ready) = watch::channel(true);
    let web = Web::new(operations, ready, CancellationToken::new());
    // Laid out before anybody asks: what is measured is the page.
    let places = places(&web.pictures).await?;
    let places = get(move || std::future::ready(Json(places.clone())));
    let service = router(web).route("/places.json", places);
    let listener = TcpListener::bind(&listen).await?;
    println!("VMS listens on http://{}", listener.local_addr()?);
    axum::serve(
        listener,
        service.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .await?;
    Ok(())
}

/// What `graph.py` writes.
#[derive(Deserialize)]
struct Graph {
    kinds: Vec<String>,
    edges: Vec<[usize; 2]>,
}

fn topology(graph: &Graph) -> Result<GetTopologyReply, Box<dyn StdError>> {
    let as_of = Timestamp::now();
    let mut reply = GetTopologyReply {
        as_of,
        sources: Vec::new(),
        version: 1,
        view: TopologyView::Virtual,
        hosts: Vec::new(),
        routers: Vec::new(),
        segments: Vec::new(),
        links: Vec::new(),
    };
    let nowhere = LinkEnd {
        host: None,
        router: None,
        segment: None,
        interface: None,
    };
    let mut ends = Vec::with_capacity(graph.kinds.len());
    for (number, kind) in graph.kinds.iter().enumerate() {
        let name = format!("{kind}-{number}");
        ends.push(match kind.as_str() {
            "spine" | "leaf" | "host" => {
                reply.hosts.push(host(name.parse()?, as_of));
                LinkEnd {
                    host: Some(name.parse()?),
                    ..nowhere.clone()
                }
            }
            "bridge" => {
                reply.segments.push(Segment {
                    id: name.parse()?,
                    name: name.clone(),
                    kind: SegmentKind::Bridge,
                    hosts: Vec::new(),
                    members: Vec::new(),
                    drawn: true,
                });
                LinkEnd {
                    segment: Some(name.parse()?),
                    ..nowhere.clone()
                }
            }
            _ => {
                let id: RouterId = format!("00000000-0000-4000-8000-{number:012}").parse()?;
                reply.routers.push(virtual_router(id, name, as_of)?);
                LinkEnd {
                    router: Some(id),
                    ..nowhere.clone()
                }
            }
        });
    }
    for (number, ends_of_link) in graph.edges.iter().enumerate() {
        let [a, b] = ends_of_link.map(|end| ends.get(end).cloned());
        let (Some(a), Some(b)) = (a, b) else {
            return Err(format!("edge {number} has an end that is not there").into());
        };
        let physical = a.host.is_some() && b.host.is_some();
        reply.links.push(Link {
            id: format!("link-{number}").parse()?,
            kind: if physical {
                LinkKind::Physical
            } else {
                LinkKind::Virtual
            },
            a,
            b,
            state: LinkState::Up,
            capacity_bits_per_second: None,
            latency_seconds: None,
            segment: None,
            sources: Vec::new(),
            conflict: None,
        });
    }
    Ok(reply)
}

fn host(id: HostId, as_of: Timestamp) -> Host {
    Host {
        name: id.to_string(),
        id,
        site: None,
        state: HostState::Online,
        message: None,
        maintenance: false,
        maintenance_reason: None,
        as_of: Some(as_of),
        endpoints: Vec::new(),
        origin: HostOrigin::Configured,
        hostname: None,
        uuid: None,
        cpu_model: None,
        cpus: None,
        memory_bytes: None,
        hypervisor: None,
        routers: 0,
        running_routers: 0,
        interfaces: Vec::new(),
    }
}

fn virtual_router(
    id: RouterId,
    name: String,
    as_of: Timestamp,
) -> Result<Router, Box<dyn StdError>> {
    Ok(Router {
        id,
        name,
        title: None,
        host: "host".parse()?,
        migrating_to: None,
        driver: Driver::Test,
        state: RouterState::Running,
        message: None,
        current: true,
        as_of,
        virtual_network: None,
        tags: Vec::new(),
        vcpus: 1,
        memory_bytes: 1 << 30,
        autostart: false,
        persistent: true,
        interfaces: Vec::new(),
        disks: Vec::new(),
        image: None,
    })
}

/// Where the page draws everything, for `/places.json`.
async fn places(pictures: &PictureCache) -> Result<serde_json::Value, Box<dyn StdError>> {
    let caller = Caller::local(Channel::Page);
    let picture = pictures.picture(&caller, TopologyView::Virtual).await?;
    let scene = picture.scene();
    let shown: HashMap<u32, usize> = (scene.nodes.iter().enumerate())
        .map(|(at, node)| (node.node, at))
        .collect();
    let nodes: Vec<_> = (scene.nodes.iter())
        .map(|node| {
            let what = &picture.diagram.nodes[node.node as usize];
            serde_json::json!({
                "id": what.id, "label": what.label, "kind": node.kind.as_str(),
                "x": node.center.x, "y": node.center.y, "width": node.width,
            })
        })
        .collect();
    let at = |end: &End| match end {
        End::Node(node) => shown.get(node).copied(),
        End::Group(_) => None,
    };
    let edges: Vec<_> = (picture.diagram.edges.iter())
        .filter_map(|edge| Some([at(&edge.a)?, at(&edge.b)?]))
        .collect();
    let bounds = &scene.bounds;
    Ok(serde_json::json!({
        "nodes": nodes, "edges": edges,
        "bounds": [bounds.x, bounds.y, bounds.width, bounds.height],
    }))
}

/// A fleet in which nothing changes and nothing can be done.
struct Fixed {
    topology: Arc<GetTopologyReply>,
}

impl Fixed {
    fn refuse<T>() -> Result<T, Error> {
        Err(Conflict {
            message: "This fleet is only to be looked at.".to_owned(),
        }
        .into())
    }

    fn source(&self) -> Result<HostFreshness, Error> {
        let host = self.topology.hosts.first().ok_or_else(|| absent("host"))?;
        Ok(HostFreshness {
            host: host.id.clone(),
            state: host.state,
            current: true,
            as_of: host.as_of,
        })
    }
}

fn absent(kind: &str) -> Error {
    NotFound {
        kind: kind.to_owned(),
        id: String::new(),
        message: format!("There is no such {kind}."),
    }
    .into()
}

#[async_trait::async_trait]
impl api::Operations for Fixed {
    async fn list_hosts(&self, _: &Caller, _: ListHostsRequest) -> Result<ListHostsReply, Error> {
        Ok(ListHostsReply {
            as_of: Timestamp::now(),
            sources: Vec::new(),
            hosts: self.topology.hosts.clone(),
        })
    }

    async fn get_host_status(
        &self,
        _: &Caller,
        request: GetHostStatusRequest,
    ) -> Result<GetHostStatusReply, Error> {
        let mut hosts = self.topology.hosts.iter();
        let host = hosts.find(|host| host.id == request.host);
        Ok(GetHostStatusReply {
            as_of: Timestamp::now(),
            source: self.source()?,
            host: host.ok_or_else(|| absent("host"))?.clone(),
            load: None,
            unresponsive_routers: Vec::new(),
            hanging_calls: 0,
        })
    }

    async fn register_host(
        &self,
        _: &Caller,
        _: RegisterHostRequest,
    ) -> Result<RegisterHostReply, Error> {
        Self::refuse()
    }

    async fn remove_host(
        &self,
        _: &Caller,
        _: RemoveHostRequest,
    ) -> Result<RemoveHostReply, Error> {
        Self::refuse()
    }

    async fn check_host(&self, _: &Caller, _: CheckHostRequest) -> Result<CheckHostReply, Error> {
        Self::refuse()
    }

    async fn list_routers(
        &self,
        _: &Caller,
        _: ListRoutersRequest,
    ) -> Result<ListRoutersReply, Error> {
        Ok(ListRoutersReply {
            as_of: Timestamp::now(),
            sources: Vec::new(),
            routers: self.topology.routers.clone(),
        })
    }

    async fn get_topology(
        &self,
        _: &Caller,
        _: GetTopologyRequest,
    ) -> Result<Arc<GetTopologyReply>, Error> {
        Ok(self.topology.clone())
    }

    async fn find_paths(&self, _: &Caller, _: FindPathsRequest) -> Result<FindPathsReply, Error> {
        Self::refuse()
    }

    async fn get_load(&self, _: &Caller, request: GetLoadRequest) -> Result<GetLoadReply, Error> {
        Ok(GetLoadReply {
            as_of: Timestamp::now(),
            sources: Vec::new(),
            version: self.topology.version,
            view: request.view.unwrap_or_default(),
            hosts: Vec::new(),
            routers: Vec::new(),
            links: Vec::new(),
        })
    }

    async fn get_router_status(
        &self,
        _: &Caller,
        request: GetRouterStatusRequest,
    ) -> Result<GetRouterStatusReply, Error> {
        let mut routers = self.topology.routers.iter();
        let router = routers.find(|router| router.id == request.router);
        Ok(GetRouterStatusReply {
            as_of: Timestamp::now(),
            source: self.source()?,
            router: router.ok_or_else(|| absent("router"))?.clone(),
            measurement: None,
        })
    }

    async fn query_history(
        &self,
        _: &Caller,
        _: QueryHistoryRequest,
    ) -> Result<QueryHistoryReply, Error> {
        Self::refuse()
    }

    async fn suspend_router(
        &self,
        _: &Caller,
        _: SuspendRouterRequest,
    ) -> Result<SuspendRouterReply, Error> {
        Self::refuse()
    }

    async fn resume_router(
        &self,
        _: &Caller,
        _: ResumeRouterRequest,
    ) -> Result<ResumeRouterReply, Error> {
        Self::refuse()
    }

    async fn check_migration(
        &self,
        _: &Caller,
        _: CheckMigrationRequest,
    ) -> Result<CheckMigrationReply, Error> {
        Self::refuse()
    }

    async fn migrate_router(
        &self,
        _: &Caller,
        _: MigrateRouterRequest,
    ) -> Result<MigrateRouterReply, Error> {
        Self::refuse()
    }

    async fn set_host_maintenance(
        &self,
        _: &Caller,
        _: SetHostMaintenanceRequest,
    ) -> Result<SetHostMaintenanceReply, Error> {
        Self::refuse()
    }

    async fn get_job(&self, _: &Caller, _: GetJobRequest) -> Result<GetJobReply, Error> {
        Self::refuse()
    }

    async fn list_jobs(&self, _: &Caller, _: ListJobsRequest) -> Result<ListJobsReply, Error> {
        Ok(ListJobsReply {
            as_of: Timestamp::now(),
            jobs: Vec::new(),
        })
    }

    async fn cancel_job(&self, _: &Caller, _: CancelJobRequest) -> Result<CancelJobReply, Error> {
        Self::refuse()
    }

    async fn check_creation(
        &self,
        _: &Caller,
        _: CheckCreationRequest,
    ) -> Result<CheckCreationReply, Error> {
        Self::refuse()
    }

    async fn create_router(
        &self,
        _: &Caller,
        _: CreateRouterRequest,
    ) -> Result<CreateRouterReply, Error> {
        Self::refuse()
    }

    async fn start_router(
        &self,
        _: &Caller,
        _: StartRouterRequest,
    ) -> Result<StartRouterReply, Error> {
        Self::refuse()
    }

    async fn shutdown_router(
        &self,
        _: &Caller,
        _: ShutdownRouterRequest,
    ) -> Result<ShutdownRouterReply, Error> {
        Self::refuse()
    }

    async fn reboot_router(
        &self,
        _: &Caller,
        _: RebootRouterRequest,
    ) -> Result<RebootRouterReply, Error> {
        Self::refuse()
    }

    async fn reset_router(
        &self,
        _: &Caller,
        _: ResetRouterRequest,
    ) -> Result<ResetRouterReply, Error> {
        Self::refuse()
    }

    async fn destroy_router(
        &self,
        _: &Caller,
        _: DestroyRouterRequest,
    ) -> Result<DestroyRouterReply, Error> {
        Self::refuse()
    }

    async fn delete_router(
        &self,
        _: &Caller,
        _: DeleteRouterRequest,
    ) -> Result<DeleteRouterReply, Error> {
        Self::refuse()
    }

    async fn resize_router(
        &self,
        _: &Caller,
        _: ResizeRouterRequest,
    ) -> Result<ResizeRouterReply, Error> {
        Self::refuse()
    }

    async fn attach_interface(
        &self,
        _: &Caller,
        _: AttachInterfaceRequest,
    ) -> Result<AttachInterfaceReply, Error> {
        Self::refuse()
    }

    async fn detach_interface(
        &self,
        _: &Caller,
        _: DetachInterfaceRequest,
    ) -> Result<DetachInterfaceReply, Error> {
        Self::refuse()
    }

    async fn create_virtual_link(
        &self,
        _: &Caller,
        _: CreateVirtualLinkRequest,
    ) -> Result<CreateVirtualLinkReply, Error> {
        Self::refuse()
    }

    async fn list_virtual_links(
        &self,
        _: &Caller,
        _: ListVirtualLinksRequest,
    ) -> Result<ListVirtualLinksReply, Error> {
        Self::refuse()
    }

    async fn delete_virtual_link(
        &self,
        _: &Caller,
        _: DeleteVirtualLinkRequest,
    ) -> Result<DeleteVirtualLinkReply, Error> {
        Self::refuse()
    }

    async fn list_images(
        &self,
        _: &Caller,
        _: ListImagesRequest,
    ) -> Result<ListImagesReply, Error> {
        Self::refuse()
    }

    async fn get_image(&self, _: &Caller, _: GetImageRequest) -> Result<GetImageReply, Error> {
        Self::refuse()
    }

    async fn list_import_files(
        &self,
        _: &Caller,
        _: ListImportFilesRequest,
    ) -> Result<ListImportFilesReply, Error> {
        Self::refuse()
    }

    async fn import_image(
        &self,
        _: &Caller,
        _: ImportImageRequest,
    ) -> Result<ImportImageReply, Error> {
        Self::refuse()
    }

    async fn begin_image_upload(
        &self,
        _: &Caller,
        _: BeginImageUploadRequest,
    ) -> Result<BeginImageUploadReply, Error> {
        Self::refuse()
    }

    async fn get_image_upload(
        &self,
        _: &Caller,
        _: GetImageUploadRequest,
    ) -> Result<GetImageUploadReply, Error> {
        Self::refuse()
    }

    async fn cancel_image_upload(
        &self,
        _: &Caller,
        _: CancelImageUploadRequest,
    ) -> Result<CancelImageUploadReply, Error> {
        Self::refuse()
    }

    async fn describe_image(
        &self,
        _: &Caller,
        _: DescribeImageRequest,
    ) -> Result<DescribeImageReply, Error> {
        Self::refuse()
    }

    async fn delete_image(
        &self,
        _: &Caller,
        _: DeleteImageRequest,
    ) -> Result<DeleteImageReply, Error> {
        Self::refuse()
    }

    async fn distribute_image(
        &self,
        _: &Caller,
        _: DistributeImageRequest,
    ) -> Result<DistributeImageReply, Error> {
        Self::refuse()
    }

    async fn evict_image(
        &self,
        _: &Caller,
        _: EvictImageRequest,
    ) -> Result<EvictImageReply, Error> {
        Self::refuse()
    }

    async fn upload_image_part(
        &self,
        _: &Caller,
        _: UploadPart,
    ) -> Result<GetImageUploadReply, Error> {
        Self::refuse()
    }

    async fn open_console(
        &self,
        _: &Caller,
        _: RouterId,
        _: ByteStream,
    ) -> Result<ByteStream, Error> {
        Self::refuse()
    }

    async fn subscribe(&self, _: &Caller, _: Option<u64>) -> Result<EventStream, Error> {
        Ok(Box::pin(futures_util::stream::pending()))
    }
}
