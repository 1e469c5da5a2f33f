//! What is done to routers.

use super::{State, errors, once::Once};
use crate::fleet::Action;
use api::{Caller, Error, Role, Router, RouterId, Timestamp};
use model::RouterState;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An operation that acts on one router.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    name: &'static str,
    action: Action,
    /// From this state it is done.
    from: RouterState,
    /// In this state it is done already.
    to: RouterState,
    /// What to do about a router in any other state.
    advice: &'static str,
}

pub(crate) const SUSPEND: Operation = Operation {
    name: "SuspendRouter",
    action: Action::Suspend,
    from: RouterState::Running,
    to: RouterState::Suspended,
    advice: "only a running router can be suspended",
};

pub(crate) const RESUME: Operation = Operation {
    name: "ResumeRouter",
    action: Action::Resume,
    from: RouterState::Suspended,
    to: RouterState::Running,
    advice: "only a suspended router can be resumed",
};

/// What came of an act.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub as_of: Timestamp,
    pub router: Router,
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
        carry_out(&state, operation, router).await
    })
    .await
}

async fn carry_out(state: &State, operation: Operation, id: RouterId) -> Result<Done, Error> {
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
    if router.domain.state != operation.from {
        // Before anything is refused, or held to be done: an event may be on its way.
        let refreshed = fleet.refresh(&router.host, router.domain.driver, domain);
        refreshed.await.map_err(failed)?;
    }
    let view = state.view();
    let now = Arc::clone(view.find(id)?);
    let at = now.domain.state;
    if at == operation.to {
        return Ok(done(&view, &now));
    }
    if at != operation.from {
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
    let router = Arc::clone(view.find(id)?);
    Ok(done(&view, &router))
}

fn done(view: &super::View, router: &model::Router) -> Done {
    Done {
        as_of: Timestamp::now(),
        router: view.router(router),
    }
}
