//! What is done to routers.

use super::{State, errors, once::Once};
use crate::fleet::Action;
use api::{
    Caller, DestroyRouterReply, DestroyRouterRequest, Error, Role, Router, RouterId, Timestamp,
};
use model::RouterState;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An operation that acts on one router.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    name: &'static str,
    action: Action,
    /// From these states it is done.
    from: &'static [RouterState],
    /// In this state it is done already.
    to: Option<RouterState>,
    /// What to do about a router in any other state.
    advice: &'static str,
}

pub(crate) const SUSPEND: Operation = Operation {
    name: "SuspendRouter",
    action: Action::Suspend,
    from: &[RouterState::Running],
    to: Some(RouterState::Suspended),
    advice: "only a running router can be suspended",
};

pub(crate) const RESUME: Operation = Operation {
    name: "ResumeRouter",
    action: Action::Resume,
    from: &[RouterState::Suspended],
    to: Some(RouterState::Running),
    advice: "only a suspended router can be resumed",
};

pub(crate) const START: Operation = Operation {
    name: "StartRouter",
    action: Action::Start,
    from: &[RouterState::ShutOff, RouterState::Crashed],
    to: Some(RouterState::Running),
    advice: "only a router that is shut off can be started; one that is suspended is resumed",
};

pub(crate) const REBOOT: Operation = Operation {
    name: "RebootRouter",
    action: Action::Reboot,
    from: &[RouterState::Running],
    to: None,
    advice: "only a running router can reboot",
};

pub(crate) const RESET: Operation = Operation {
    name: "ResetRouter",
    action: Action::Reset,
    from: &[RouterState::Running, RouterState::Suspended],
    to: None,
    advice: "only a running router can be reset",
};

const DESTROY: Operation = Operation {
    name: "DestroyRouter",
    action: Action::Destroy,
    from: &[
        RouterState::Running,
        RouterState::Suspended,
        RouterState::ShuttingDown,
        RouterState::Crashed,
        RouterState::Unknown,
    ],
    to: Some(RouterState::ShutOff),
    advice: "it cannot be switched off",
};

/// What came of an act.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub as_of: Timestamp,
    pub router: Router,
}

/// The same, where the router may be gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct After {
    as_of: Timestamp,
    router: Option<Router>,
}

/// Acts on a router.
pub(crate) async fn act(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    operation: Operation,
    router: RouterId,
    request_id: Option<String>,
) -> Result<Done, Error> {
    let act = once.act(caller, operation.name, router.to_string(), request_id);
    let state = Arc::clone(state);
    act.carry_out(Role::Operator, async move {
        let After { as_of, router: now } = carry_out(&state, operation, router).await?;
        let router = now.ok_or_else(|| errors::no_router(router))?;
        Ok(Done { as_of, router })
    })
    .await
}

/// Switches a router off, which may be the end of it.
pub(crate) async fn destroy(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: DestroyRouterRequest,
) -> Result<DestroyRouterReply, Error> {
    let DestroyRouterRequest { router, request_id } = request;
    let act = once.act(caller, DESTROY.name, router.to_string(), request_id);
    let state = Arc::clone(state);
    let after = act.carry_out(Role::Operator, async move {
        carry_out(&state, DESTROY, router).await
    });
    let After { as_of, router } = after.await?;
    Ok(DestroyRouterReply { as_of, router })
}

async fn carry_out(state: &State, operation: Operation, id: RouterId) -> Result<After, Error> {
    state.jobs.refuse_if_acting(id)?;
    let view = state.view();
    let router = Arc::clone(view.find(id)?);
    let source = view.source(&router);
    if !source.current {
        let host = view.topology().hosts.get(&router.host);
        let why = host.and_then(|host| host.message.as_deref());
        return Err(errors::unreachable(&source.host, source.as_of, why));
    }
    let fleet = &state.fleet;
    let domain = model::RouterId(id.0);
    let failed = |failure| errors::from_host(failure, &router, source.as_of);
    if !operation.from.contains(&router.domain.state) {
        // Before anything is refused, or held to be done: an event may be on its way.
        let refreshed = fleet.refresh(&router.host, router.domain.driver, domain);
        refreshed.await.map_err(failed)?;
    }
    let view = state.view();
    let now = Arc::clone(view.find(id)?);
    let at = now.domain.state;
    if Some(at) == operation.to {
        return Ok(After {
            as_of: Timestamp::now(),
            router: Some(view.router(&now)),
        });
    }
    if !operation.from.contains(&at) {
        return Err(errors::conflict(format!(
            "router {} is {}: {}",
            now.domain.name,
            at.as_str(),
            operation.advice
        )));
    }
    let acted = fleet.act(&now.host, now.domain.driver, domain, operation.action);
    acted.await.map_err(failed)?;
    let view = state.view();
    let router = view.find(id).ok().map(Arc::clone);
    Ok(After {
        as_of: Timestamp::now(),
        router: router.map(|router| view.router(&router)),
    })
}
