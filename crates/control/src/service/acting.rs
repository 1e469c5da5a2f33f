//! What is done to routers, once for each request id.
//!
//! ```text
//! authorised? ──► written down ──► done ──► written down ──► answered
//!      │               │ the same request id, finished: the first result
//!      └─► denied      └─ the same request id, under way: waits for it
//! ```
//!
//! The result of a request id is kept when it is final: done, or refused for good. After an answer
//! that says nothing final (the host did not answer, VMS failed), the same request id is another
//! attempt; suspending and resuming do no harm when they are repeated.
//!
//! An act is carried out to its end and written down even if its caller hangs up.

use super::{State, authorise, errors};
use crate::{
    fleet::Action,
    store::{Act, Begun},
};
use api::{Caller, Error, Role, Router, RouterId, Timestamp};
use model::RouterState;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

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

/// Caller and request id.
type Key = (String, String);

#[derive(Clone, Debug)]
pub(crate) struct Acting {
    state: Arc<State>,
    /// Whoever holds the lock of a request id carries it out; others wait.
    under_way: Arc<Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>>,
}

impl Acting {
    pub fn new(state: Arc<State>) -> Self {
        Self {
            state,
            under_way: Arc::default(),
        }
    }

    pub async fn act(
        &self,
        caller: &Caller,
        operation: Operation,
        router: RouterId,
        request_id: Option<String>,
    ) -> Result<Done, Error> {
        let mut act = Act {
            caller: caller.clone(),
            operation: operation.name,
            target: router.to_string(),
            request_id,
        };
        let refused = authorise(caller, Role::Operator)
            .and_then(|()| act.request_id.as_deref().map_or(Ok(()), check_request_id));
        if let Err(error) = refused {
            // Written down, but not as this request id's result.
            act.request_id = None;
            self.refuse(&act, &error).await?;
            return Err(error);
        }
        let this = self.clone();
        let carried_out = tokio::spawn(async move { this.once(act, operation, router).await });
        match carried_out.await {
            Ok(result) => result,
            Err(error) => Err(errors::internal("the act was broken off", &error)),
        }
    }

    async fn refuse(&self, act: &Act, error: &Error) -> Result<(), Error> {
        let store = &self.state.store;
        let written = async {
            if let Begun::Do(id) = store.begin_act(act).await? {
                store.finish_act(id, outcome(error), None).await?;
            }
            Ok(())
        };
        written.await.map_err(|error| errors::from_store(&error))
    }

    /// Carries an act out, unless its request id was before.
    async fn once(&self, act: Act, operation: Operation, router: RouterId) -> Result<Done, Error> {
        let Some(request_id) = &act.request_id else {
            return self.written_down(&act, operation, router).await;
        };
        let key = (act.caller.name.clone(), request_id.clone());
        let turn = {
            let mut all = self
                .under_way
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(key.clone()).or_default())
        };
        let result = {
            let _turn = turn.lock().await;
            self.written_down(&act, operation, router).await
        };
        let mut all = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // The map's and ours: nobody else waits for it.
        if Arc::strong_count(&turn) == 2 {
            all.remove(&key);
        }
        result
    }

    async fn written_down(
        &self,
        act: &Act,
        operation: Operation,
        router: RouterId,
    ) -> Result<Done, Error> {
        let store = &self.state.store;
        let begun = store.begin_act(act).await;
        let id = match begun.map_err(|error| errors::from_store(&error))? {
            Begun::Do(id) => id,
            Begun::Done(result) => {
                return serde_json::from_str(&result).unwrap_or_else(|error| {
                    Err(errors::internal("the first result is lost", &error))
                });
            }
            Begun::Other { operation, target } => {
                return Err(Error::invalid(
                    "requestId",
                    format!(
                        "this id was used before, for {operation} on {target}: use a new id for \
                         every other request"
                    ),
                ));
            }
        };
        let result = self.carry_out(operation, router).await;
        let (outcome, kept) = match &result {
            Ok(_) => ("done", true),
            Err(error) => (outcome(error), is_final(error)),
        };
        let text = kept.then(|| serde_json::to_string(&result)).transpose();
        let text = text.unwrap_or_else(|error| {
            tracing::error!(%error, "a result cannot be kept");
            None
        });
        // It was done: not being able to write that down does not undo it.
        if let Err(error) = store.finish_act(id, outcome, text.as_deref()).await {
            tracing::error!(%error, act = id, "how an act ended could not be written down");
        }
        result
    }

    async fn carry_out(&self, operation: Operation, id: RouterId) -> Result<Done, Error> {
        let view = self.state.view();
        let router = Arc::clone(view.find(id)?);
        let source = view.source(&router);
        if !source.current {
            let host = view.topology().hosts.get(&router.host);
            let why = host.and_then(|host| host.message.as_deref());
            return Err(errors::unreachable(&source.host, source.as_of, why));
        }
        let fleet = &self.state.fleet;
        let failed = |failure| errors::from_host(failure, &router, source.as_of);
        if router.domain.state != operation.from {
            // Before anything is refused, or held to be done: an event may be on its way.
            let refreshed = fleet.refresh(&router.host, model::RouterId(id.0)).await;
            refreshed.map_err(failed)?;
        }
        let view = self.state.view();
        let now = Arc::clone(view.find(id)?);
        let state = now.domain.state;
        if state == operation.to {
            return Ok(done(&view, &now));
        }
        if state != operation.from {
            return Err(errors::conflict(format!(
                "router {} is {}: {}",
                now.domain.name,
                state.as_str(),
                operation.advice
            )));
        }
        let acted = fleet.act(&now.host, model::RouterId(id.0), operation.action);
        acted.await.map_err(failed)?;
        let view = self.state.view();
        let router = Arc::clone(view.find(id)?);
        Ok(done(&view, &router))
    }
}

fn done(view: &super::View, router: &model::Router) -> Done {
    Done {
        as_of: Timestamp::now(),
        router: view.router(router),
    }
}

fn check_request_id(id: &str) -> Result<(), Error> {
    let fits = (1..=128).contains(&id.len()) && !id.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    Err(Error::invalid(
        "requestId",
        "1 to 128 bytes without control characters were expected, for example a UUID",
    ))
}

/// Whether asking again would give the same.
fn is_final(error: &Error) -> bool {
    !matches!(error, Error::HostUnreachable(_) | Error::Internal(_))
}

/// The error's name, for the book.
fn outcome(error: &Error) -> &'static str {
    match error {
        Error::InvalidArgument(_) => "InvalidArgument",
        Error::NotFound(_) => "NotFound",
        Error::Conflict(_) => "Conflict",
        Error::NotSupported(_) => "NotSupported",
        Error::HostUnreachable(_) => "HostUnreachable",
        Error::Denied(_) => "Denied",
        Error::Internal(_) => "Internal",
    }
}
