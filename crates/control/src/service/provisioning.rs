//! Making routers and links, changing them, taking them away.

use super::{State, authorise, errors, once::Once, routers::Done, translate};
use crate::{
    jobs::task::{self, Act, Task},
    provisioning::{self, Deletion, ShuttingDown, changes, check, create, links},
};
use api::{
    AttachInterfaceReply, AttachInterfaceRequest, Caller, CheckCreationReply, CheckCreationRequest,
    CreateRouterReply, CreateRouterRequest, CreateVirtualLinkReply, CreateVirtualLinkRequest,
    DeleteRouterReply, DeleteRouterRequest, DeleteVirtualLinkReply, DeleteVirtualLinkRequest,
    DetachInterfaceReply, DetachInterfaceRequest, Effective, Error, JobId, ListVirtualLinksReply,
    ListVirtualLinksRequest, MacAddress, ResizeRouterReply, ResizeRouterRequest, Role, RouterId,
    ShutdownRouterReply, ShutdownRouterRequest, Timestamp, VirtualLink,
};
use model::{Mac, Router, RouterState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How long a router may take to shut down if nobody says, in seconds.
const SHUT_DOWN: u32 = 60;

/// The job that a caller asked for with this request id: the server may have died after it was written
/// down, and before its answer was.
fn asked_for(state: &State, caller: &str, request_id: Option<&str>) -> Option<JobId> {
    request_id.and_then(|id| state.jobs.asked_for(caller, id))
}

/// Where a router could be made.
pub(crate) async fn check_creation(
    state: &Arc<State>,
    caller: &Caller,
    request: CheckCreationRequest,
) -> Result<CheckCreationReply, Error> {
    authorise(caller, Role::Observer)?;
    let request = request.router;
    let image = state.images.get(request.image).await?;
    let wanted = check::request(&request, &image)?;
    check::is_free(state, &state.view().snapshot, &request.name)?;
    let taken = links::taken(state).await?;
    let places = check::places(state, &request, &image, &wanted, &taken).await?;
    Ok(CheckCreationReply {
        as_of: Timestamp::now(),
        places: places.into_iter().map(|place| place.told).collect(),
    })
}

/// Makes a router.
pub(crate) async fn create_router(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: CreateRouterRequest,
) -> Result<CreateRouterReply, Error> {
    let shown: String = request.name.chars().take(64).collect();
    let act = once.act(caller, "CreateRouter", shown, request.request_id.clone());
    let (making, who) = (Arc::clone(state), caller.name.clone());
    let job = act.carry_out(Role::Operator, async move {
        match asked_for(&making, &who, request.request_id.as_deref()) {
            Some(job) => Ok(job),
            None => create::ask(&making, request, &who).await,
        }
    });
    Ok(CreateRouterReply {
        job: task::told(state, job.await?)?,
        as_of: Timestamp::now(),
    })
}

/// Lets a router shut down.
pub(crate) async fn shutdown_router(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: ShutdownRouterRequest,
) -> Result<ShutdownRouterReply, Error> {
    let target = request.router.to_string();
    let act = once.act(caller, "ShutdownRouter", target, request.request_id.clone());
    let (shutting, who) = (Arc::clone(state), caller.name.clone());
    let job = act.carry_out(Role::Operator, async move {
        let seconds = request.deadline_seconds.unwrap_or(SHUT_DOWN);
        if !(1..=3600).contains(&seconds) {
            let message = "1 to 3600 seconds were expected, or nothing at all";
            return Err(Error::invalid("deadlineSeconds", message));
        }
        let state = &shutting;
        if let Some(job) = asked_for(state, &who, request.request_id.as_deref()) {
            return Ok(job);
        }
        state.jobs.refuse_if_acting(request.router)?;
        let view = state.view();
        let router = view.find(request.router)?;
        provisioning::routers::current(&view, router)?;
        let (name, host, driver) = parts(router);
        if router.domain.state == RouterState::Suspended && request.force != Some(true) {
            return Err(errors::conflict(format!(
                "router {name} is {}: it does not hear that it is to shut down; resume it first, or \
                 ask for it with force",
                router.domain.state.as_str()
            )));
        }
        let act = Act::ShutDown(ShuttingDown {
            router: router.domain.id,
            host: host.clone(),
            driver,
            seconds,
            force: request.force.unwrap_or_default(),
        });
        let message = format!("{name} waits to be shut down.");
        on_router(state, act, router, request.request_id, &who, message).await
    });
    Ok(ShutdownRouterReply {
        job: task::told(state, job.await?)?,
        as_of: Timestamp::now(),
    })
}

/// Deletes a router.
pub(crate) async fn delete_router(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: DeleteRouterRequest,
) -> Result<DeleteRouterReply, Error> {
    let target = request.router.to_string();
    let act = once.act(caller, "DeleteRouter", target, request.request_id.clone());
    let (deleting, who) = (Arc::clone(state), caller.name.clone());
    let job = act.carry_out(Role::Operator, async move {
        let state = &deleting;
        if let Some(job) = asked_for(state, &who, request.request_id.as_deref()) {
            return Ok(job);
        }
        // No link of its comes or goes meanwhile.
        let _turn = state.provisioning.lock().await;
        state.jobs.refuse_if_acting(request.router)?;
        let view = state.view();
        let router = view.find(request.router)?;
        provisioning::routers::current(&view, router)?;
        let (name, host, driver) = parts(router);
        let force = request.force.unwrap_or_default();
        if router.domain.state.is_active() && !force {
            return Err(errors::conflict(format!(
                "router {name} is {}: shut it down first, or ask for it with force",
                router.domain.state.as_str()
            )));
        }
        let links = links::all(state).await?;
        let mut others: Vec<_> = (links.iter())
            .filter(|made| made.ends().iter().any(|end| end.router == request.router))
            .flat_map(|made| made.ends().map(|end| end.router))
            .filter(|router| *router != request.router)
            .collect();
        others.sort_unstable();
        others.dedup();
        for other in &others {
            state.jobs.refuse_if_acting(*other)?;
        }
        let mut task = Task::new(
            Act::DeleteRouter(Deletion {
                router: router.domain.id,
                host: host.clone(),
                driver,
                keep_disks: request.keep_disks.unwrap_or_default(),
                force,
            }),
            &name,
            vec![host.clone()],
            driver,
        );
        task.routers = vec![router.domain.id];
        for other in others {
            task.routers.push(model::RouterId(other.0));
            let host = view.find(other).map(|other| other.host.clone());
            task.hosts.extend(host.ok());
        }
        task.hosts.sort();
        task.hosts.dedup();
        task.request_id = request.request_id;
        let message = format!("{name} waits to be deleted.");
        task::start(state, task, &who, message, |job| {
            job.source = Some(translate::id(&host));
        })
        .await
    });
    Ok(DeleteRouterReply {
        job: task::told(state, job.await?)?,
        as_of: Timestamp::now(),
    })
}

/// Links two routers.
pub(crate) async fn create_virtual_link(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: CreateVirtualLinkRequest,
) -> Result<CreateVirtualLinkReply, Error> {
    let target = format!("{} and {}", request.a, request.b);
    let id = request.request_id.clone();
    let act = once.act(caller, "CreateVirtualLink", target, id);
    let (linking, who) = (Arc::clone(state), caller.name.clone());
    let asked: (VirtualLink, JobId) = act
        .carry_out(Role::Operator, async move {
            if let Some(job) = asked_for(&linking, &who, request.request_id.as_deref())
                && let Some(link) = link_of(&linking, job)
            {
                return Ok((link, job));
            }
            links::ask(&linking, request, &who).await
        })
        .await?;
    let (link, job) = asked;
    Ok(CreateVirtualLinkReply {
        as_of: Timestamp::now(),
        link,
        job: task::told(state, job)?,
    })
}

/// The link that a job makes.
fn link_of(state: &State, job: JobId) -> Option<VirtualLink> {
    use crate::jobs::plan::Plan;
    match state.jobs.get(job)?.plan() {
        Plan::Task(Task {
            act: Act::CreateLink(creation),
            ..
        }) => Some(creation.made.link),
        _ => None,
    }
}

/// The links that VMS made.
pub(crate) async fn list_virtual_links(
    state: &Arc<State>,
    caller: &Caller,
    request: &ListVirtualLinksRequest,
) -> Result<ListVirtualLinksReply, Error> {
    authorise(caller, Role::Observer)?;
    let links = links::all(state).await?.into_iter().map(|made| made.link);
    let has_end = |link: &VirtualLink| {
        request
            .router
            .is_none_or(|router| [link.a.router, link.b.router].contains(&router))
    };
    Ok(ListVirtualLinksReply {
        as_of: Timestamp::now(),
        links: links.filter(has_end).collect(),
    })
}

/// Takes a link away.
pub(crate) async fn delete_virtual_link(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: DeleteVirtualLinkRequest,
) -> Result<DeleteVirtualLinkReply, Error> {
    let (target, id) = (request.link.to_string(), request.request_id.clone());
    let act = once.act(caller, "DeleteVirtualLink", target, id);
    let (deleting, who) = (Arc::clone(state), caller.name.clone());
    let job = act.carry_out(Role::Operator, async move {
        match asked_for(&deleting, &who, request.request_id.as_deref()) {
            Some(job) => Ok(job),
            None => links::ask_to_delete(&deleting, request, &who).await,
        }
    });
    Ok(DeleteVirtualLinkReply {
        job: task::told(state, job.await?)?,
        as_of: Timestamp::now(),
    })
}

/// What was changed of a router.
#[derive(Serialize, Deserialize)]
struct Changed {
    done: Done,
    effective: Effective,
    message: String,
    mac: Option<MacAddress>,
}

/// Changes a router at once, and looks at it again.
async fn change<F, Changing>(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    operation: &'static str,
    (router, request_id): (RouterId, Option<String>),
    changing: F,
) -> Result<Changed, Error>
where
    F: FnOnce(Arc<State>, Arc<Router>) -> Changing + Send + 'static,
    Changing: Future<Output = Result<changes::Changed, Error>> + Send,
{
    let act = once.act(caller, operation, router.to_string(), request_id);
    let state = Arc::clone(state);
    act.carry_out(Role::Operator, async move {
        let _change = state.jobs.change_at_once(router).await?;
        let known = Arc::clone(state.view().find(router)?);
        let changed = changing(Arc::clone(&state), Arc::clone(&known)).await?;
        let (host, driver) = (&known.host, known.domain.driver);
        let refreshed = state.fleet.refresh(host, driver, known.domain.id).await;
        refreshed.map_err(|failure| errors::from_host(failure, &known, None))?;
        let view = state.view();
        Ok(Changed {
            done: Done {
                as_of: Timestamp::now(),
                router: view.router(view.find(router)?),
            },
            effective: changed.effective,
            message: changed.message,
            mac: changed.mac.map(translate::mac),
        })
    })
    .await
}

/// Changes a router's size.
pub(crate) async fn resize_router(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: ResizeRouterRequest,
) -> Result<ResizeRouterReply, Error> {
    let of = (request.router, request.request_id.clone());
    let changed = change(
        once,
        state,
        caller,
        "ResizeRouter",
        of,
        |state, router| async move { changes::resize(&state, &router, &request).await },
    );
    let changed = changed.await?;
    Ok(ResizeRouterReply {
        as_of: changed.done.as_of,
        router: changed.done.router,
        effective: changed.effective,
        message: changed.message,
    })
}

/// Gives a router an interface.
pub(crate) async fn attach_interface(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: AttachInterfaceRequest,
) -> Result<AttachInterfaceReply, Error> {
    let of = (request.router, request.request_id.clone());
    let changed = change(
        once,
        state,
        caller,
        "AttachInterface",
        of,
        |state, router| async move { changes::attach(&state, &router, &request.interface).await },
    );
    let changed = changed.await?;
    let no_mac = || errors::internal("the interface is there and unknown", &"it has no MAC");
    Ok(AttachInterfaceReply {
        as_of: changed.done.as_of,
        router: changed.done.router,
        mac: changed.mac.ok_or_else(no_mac)?,
        effective: changed.effective,
        message: changed.message,
    })
}

/// Takes an interface away from a router.
pub(crate) async fn detach_interface(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: DetachInterfaceRequest,
) -> Result<DetachInterfaceReply, Error> {
    let of = (request.router, request.request_id.clone());
    let mac = Mac(request.mac.0);
    let changed = change(
        once,
        state,
        caller,
        "DetachInterface",
        of,
        move |state, router| async move { changes::detach(&state, &router, mac).await },
    );
    let changed = changed.await?;
    Ok(DetachInterfaceReply {
        as_of: changed.done.as_of,
        router: changed.done.router,
        effective: changed.effective,
        message: changed.message,
    })
}

fn parts(router: &Router) -> (String, model::HostId, model::Driver) {
    let domain = &router.domain;
    (domain.name.clone(), router.host.clone(), domain.driver)
}

/// Starts a task about one router.
async fn on_router(
    state: &Arc<State>,
    act: Act,
    router: &Router,
    request_id: Option<String>,
    caller: &str,
    message: String,
) -> Result<JobId, Error> {
    let (name, host, driver) = parts(router);
    let mut task = Task::new(act, &name, vec![host.clone()], driver);
    task.routers = vec![router.domain.id];
    task.request_id = request_id;
    task::start(state, task, caller, message, |job| {
        job.source = Some(translate::id(&host));
    })
    .await
}
