//! The server's side: the operations and the caller, taken from the request's context.

use super::{
    Attachments, EndFacts, HostTable, InterfaceHistory, Load, Range, RouterHistory, RouterRow,
    RouterTable, Series, facts::Names,
};
use crate::{
    Element, Failure,
    endpoint::fitting,
    live::Run,
    moving::acts::{Acted, Deed, How},
};
use api::{
    Aggregation, Caller, CancelJobReply, CancelJobRequest, CheckHostReply, CheckHostRequest,
    CheckMigrationReply, CheckMigrationRequest, EndpointAddress, Error, FindPathsReply,
    FindPathsRequest, GetHostStatusReply, GetHostStatusRequest, GetLoadRequest,
    GetRouterStatusReply, GetRouterStatusRequest, GetTopologyReply, GetTopologyRequest, HostId,
    IdError, InterfaceKind, JobId, LinkEnd, ListHostsRequest, ListJobsReply, ListJobsRequest,
    ListRoutersRequest, MacAddress, Metric, MigrateRouterReply, MigrateRouterRequest,
    MigrationMode, NotFound, Operations, QueryHistoryRequest, RegisterHostReply,
    RegisterHostRequest, RemoveHostReply, RemoveHostRequest, RouterId, SetHostMaintenanceReply,
    SetHostMaintenanceRequest, Timestamp, TopologyView,
};
use leptos::prelude::use_context;
use std::{collections::BTreeSet, fmt::Display, pin::Pin, sync::Arc};

/// The operations as this request's caller may use them.
pub(super) struct Door {
    operations: Arc<dyn Operations>,
    caller: Caller,
    run: Run,
    /// Says the failure's HTTP status, where a program asked.
    status: Option<leptos_axum::ResponseOptions>,
}

impl Door {
    /// Takes operations, caller and the server's run from the context.
    pub(super) fn open() -> Result<Self, Failure> {
        let (Some(operations), Some(caller), Some(run)) =
            (use_context(), use_context(), use_context())
        else {
            return Err(Failure::Transport(
                "The server set up this request without operations, caller or run. This is a fault \
                 of VMS: report it."
                    .to_owned(),
            ));
        };
        Ok(Self {
            operations,
            caller,
            run,
            status: asked_by_a_program().then(use_context).flatten(),
        })
    }

    /// The server's run.
    pub(super) fn run(&self) -> Run {
        self.run
    }

    /// Passes an error on, with its HTTP status where a program asked for it.
    fn refuse(&self, error: Error) -> Failure {
        if let Some(response) = &self.status
            && let Ok(status) = http::StatusCode::from_u16(error.http_status())
        {
            response.set_status(status);
        }
        Failure::Refused(error)
    }

    pub(super) fn not_found(&self, kind: &str, id: &dyn Display) -> Failure {
        self.refuse(
            NotFound {
                kind: kind.to_owned(),
                id: id.to_string(),
                message: format!(
                    "There is no {kind} {id} in the present topology: it may have been removed. \
                     Choose another."
                ),
            }
            .into(),
        )
    }

    pub(super) async fn topology(
        &self,
        view: TopologyView,
    ) -> Result<Arc<GetTopologyReply>, Failure> {
        self.operations
            .get_topology(&self.caller, GetTopologyRequest { view: Some(view) })
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn router_status(
        &self,
        router: RouterId,
    ) -> Result<GetRouterStatusReply, Failure> {
        self.operations
            .get_router_status(&self.caller, GetRouterStatusRequest { router })
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn host_status(&self, host: HostId) -> Result<GetHostStatusReply, Failure> {
        self.operations
            .get_host_status(&self.caller, GetHostStatusRequest { host })
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn find_paths(
        &self,
        request: FindPathsRequest,
    ) -> Result<FindPathsReply, Failure> {
        self.operations
            .find_paths(&self.caller, request)
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn load(&self, view: TopologyView) -> Result<Load, Failure> {
        self.operations
            .get_load(&self.caller, GetLoadRequest { view: Some(view) })
            .await
            .map(Load::new)
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn hosts(&self, version: u64) -> Result<HostTable, Failure> {
        let reply = self
            .operations
            .list_hosts(&self.caller, ListHostsRequest {})
            .await
            .map_err(|error| self.refuse(error))?;
        Ok(HostTable {
            version,
            as_of: reply.as_of,
            hosts: reply.hosts,
        })
    }

    pub(super) async fn routers(
        &self,
        topology: &GetTopologyReply,
    ) -> Result<RouterTable, Failure> {
        let reply = self
            .operations
            .list_routers(&self.caller, ListRoutersRequest::default())
            .await
            .map_err(|error| self.refuse(error))?;
        let names = Names::of(topology);
        Ok(RouterTable {
            version: topology.version,
            as_of: reply.as_of,
            routers: reply
                .routers
                .iter()
                .map(|router| RouterRow::new(router, &names))
                .collect(),
        })
    }

    /// An end of a link with what its interface carries now.
    pub(super) async fn end(
        &self,
        topology: &GetTopologyReply,
        names: &Names,
        end: &LinkEnd,
    ) -> EndFacts {
        let router = end
            .router
            .and_then(|id| topology.routers.iter().find(|router| router.id == id));
        // A link is worth showing without its traffic: whoever asks for the router itself is told
        // why it cannot be had.
        let measured = match router {
            Some(router) => self
                .operations
                .get_router_status(&self.caller, GetRouterStatusRequest { router: router.id })
                .await
                .ok()
                .and_then(|status| status.measurement),
            None => None,
        };
        EndFacts {
            element: Element::of_end(end),
            name: names.of_end(end),
            interface: end.interface.clone(),
            state: router.map(|router| router.state),
            current: router.is_none_or(|router| router.current),
            host: router
                .map(|router| router.host.clone())
                .or_else(|| end.host.clone()),
            simulated: measured.as_ref().is_some_and(|measured| measured.simulated),
            measurement: measured.and_then(|measured| {
                measured
                    .interfaces
                    .into_iter()
                    .find(|interface| Some(interface.mac.to_string()) == end.interface)
            }),
        }
    }

    pub(super) async fn router_history(
        &self,
        router: RouterId,
        range: Range,
    ) -> Result<RouterHistory, Failure> {
        let status = self.router_status(router).await?;
        let cpu = self
            .series(router, None, Metric::CpuTime, 1.0, range)
            .await?;
        let mut interfaces = Vec::with_capacity(status.router.interfaces.len());
        for interface in &status.router.interfaces {
            interfaces.push(self.interface_history(router, interface.mac, range).await?);
        }
        Ok(RouterHistory {
            as_of: status.as_of,
            range,
            cpu,
            interfaces,
        })
    }

    pub(super) async fn interface_history(
        &self,
        router: RouterId,
        mac: MacAddress,
        range: Range,
    ) -> Result<InterfaceHistory, Failure> {
        Ok(InterfaceHistory {
            as_of: Timestamp::now(),
            range,
            mac,
            received: self
                .series(router, Some(mac), Metric::ReceivedBytes, 8.0, range)
                .await?,
            transmitted: self
                .series(router, Some(mac), Metric::TransmittedBytes, 8.0, range)
                .await?,
        })
    }

    /// The growth a second of a counter (of processor time: processors in use), times `factor`; an
    /// empty series where nothing was ever counted.
    async fn series(
        &self,
        router: RouterId,
        interface: Option<MacAddress>,
        metric: Metric,
        factor: f64,
        range: Range,
    ) -> Result<Series, Failure> {
        let end = Timestamp::now();
        let start = Timestamp::from_second(end.as_second() - i64::from(range.seconds())).ok();
        let request = QueryHistoryRequest {
            router,
            interface,
            disk: None,
            metric,
            start,
            end: Some(end),
            step_seconds: Some(range.step_seconds()),
            aggregation: Some(Aggregation::Rate),
        };
        match self.operations.query_history(&self.caller, request).await {
            Ok(reply) => Ok(Series::new(&reply, factor)),
            Err(Error::NotFound(_) | Error::NotSupported(_)) => Ok(Series::default()),
            Err(error) => Err(self.refuse(error)),
        }
    }

    /// Asks for an operation as this request's caller.
    pub(super) async fn ask<'a, T>(
        &'a self,
        operation: impl FnOnce(
            &'a dyn Operations,
            &'a Caller,
        ) -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>,
    ) -> Result<T, Failure> {
        let answer = operation(self.operations.as_ref(), &self.caller).await;
        answer.map_err(|error| self.refuse(error))
    }

    /// Does something to a router.
    pub(super) async fn act(
        &self,
        router: RouterId,
        deed: Deed,
        how: How,
    ) -> Result<Acted, Failure> {
        macro_rules! ask {
            ($operation:ident, $request:ident { $($field:ident: $value:expr),* }) => {
                self.ask(|operations, caller| {
                    let request = api::$request { router, $($field: $value,)* request_id: None };
                    operations.$operation(caller, request)
                })
                .await?
            };
        }
        Ok(match deed {
            Deed::Start => Acted::now(ask!(start_router, StartRouterRequest {}).router),
            Deed::Suspend => Acted::now(ask!(suspend_router, SuspendRouterRequest {}).router),
            Deed::Resume => Acted::now(ask!(resume_router, ResumeRouterRequest {}).router),
            Deed::Reboot => Acted::now(ask!(reboot_router, RebootRouterRequest {}).router),
            Deed::Reset => Acted::now(ask!(reset_router, ResetRouterRequest {}).router),
            Deed::SwitchOff => Acted {
                router: ask!(destroy_router, DestroyRouterRequest {}).router,
                job: None,
            },
            Deed::Shutdown => {
                let request = ask!(
                    shutdown_router,
                    ShutdownRouterRequest {
                        deadline_seconds: how.deadline_seconds,
                        force: Some(how.force)
                    }
                );
                Acted::by(request.job)
            }
            Deed::Delete => {
                let request = ask!(
                    delete_router,
                    DeleteRouterRequest {
                        keep_disks: Some(how.keep_disks),
                        force: Some(how.force)
                    }
                );
                Acted::by(request.job)
            }
        })
    }

    pub(super) async fn check_migration(
        &self,
        router: RouterId,
        mode: Option<MigrationMode>,
    ) -> Result<CheckMigrationReply, Failure> {
        let request = CheckMigrationRequest {
            router,
            destination: None,
            mode,
        };
        self.operations
            .check_migration(&self.caller, request)
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn migrate(
        &self,
        request: MigrateRouterRequest,
    ) -> Result<MigrateRouterReply, Failure> {
        self.operations
            .migrate_router(&self.caller, request)
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn set_maintenance(
        &self,
        host: HostId,
        maintenance: bool,
        reason: Option<String>,
    ) -> Result<SetHostMaintenanceReply, Failure> {
        let reason = reason.map(|reason| reason.trim().to_owned());
        let request = SetHostMaintenanceRequest {
            host,
            maintenance,
            reason: reason.filter(|reason| maintenance && !reason.is_empty()),
            request_id: None,
        };
        self.operations
            .set_host_maintenance(&self.caller, request)
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn jobs(&self, limit: u32) -> Result<ListJobsReply, Failure> {
        let request = ListJobsRequest {
            limit: Some(limit),
            ..ListJobsRequest::default()
        };
        self.operations
            .list_jobs(&self.caller, request)
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn cancel(&self, job: JobId) -> Result<CancelJobReply, Failure> {
        let request = CancelJobRequest {
            job,
            request_id: None,
        };
        self.operations
            .cancel_job(&self.caller, request)
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn register(
        &self,
        host: &str,
        name: Option<String>,
        site: Option<String>,
        endpoints: Vec<EndpointAddress>,
    ) -> Result<RegisterHostReply, Failure> {
        let host = host
            .trim()
            .parse()
            .map_err(|error: IdError| self.refuse(Error::invalid("host", error.to_string())))?;
        let request = RegisterHostRequest {
            host,
            name,
            site,
            endpoints: endpoints.into_iter().map(fitting).collect(),
            request_id: None,
        };
        self.operations
            .register_host(&self.caller, request)
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn remove(&self, host: HostId) -> Result<RemoveHostReply, Failure> {
        let request = RemoveHostRequest {
            host,
            request_id: None,
        };
        self.operations
            .remove_host(&self.caller, request)
            .await
            .map_err(|error| self.refuse(error))
    }

    pub(super) async fn check(&self, endpoint: EndpointAddress) -> Result<CheckHostReply, Failure> {
        let request = CheckHostRequest {
            endpoint: fitting(endpoint),
        };
        self.operations
            .check_host(&self.caller, request)
            .await
            .map_err(|error| self.refuse(error))
    }
}

impl Attachments {
    /// Those of a router's host: its bridges, and the networks that routers there are in.
    pub(super) fn of(topology: &GetTopologyReply, router: RouterId) -> Self {
        let mut all = topology.routers.iter();
        let Some(host) = all.find(|one| one.id == router).map(|one| &one.host) else {
            return Self::default();
        };
        let here = topology.routers.iter().filter(|one| one.host == *host);
        let networks = here
            .flat_map(|one| &one.interfaces)
            .filter(|interface| interface.kind == InterfaceKind::Network)
            .filter_map(|interface| interface.source.clone());
        let host = topology.hosts.iter().filter(|one| one.id == *host);
        let bridges = host
            .flat_map(|host| &host.interfaces)
            .filter(|interface| interface.kind == "bridge")
            .map(|interface| interface.name.clone());
        Self {
            networks: networks.collect::<BTreeSet<_>>().into_iter().collect(),
            bridges: bridges.collect::<BTreeSet<_>>().into_iter().collect(),
        }
    }
}

/// Whether the request is a call of a server function by a program, not a page nor a plain form
/// (which is answered by a redirect, whatever came of it).
fn asked_by_a_program() -> bool {
    use_context::<http::request::Parts>().is_some_and(|parts| {
        let wants_page = parts
            .headers
            .get_all(http::header::ACCEPT)
            .iter()
            .any(|value| {
                value
                    .to_str()
                    .is_ok_and(|value| value.contains("text/html"))
            });
        parts.uri.path().starts_with("/api/") && !wants_page
    })
}
