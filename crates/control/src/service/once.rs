//! Acting once for each request id, and writing down who asked for what.
//!
//! ```text
//! authorised? ──► written down ──► done ──► written down ──► answered
//!      │               │ the same request id, finished: the first result
//!      └─► denied      └─ the same request id, under way: waits for it
//! ```
//!
//! The result of a request id is kept when it is final: done, or refused for good. After an answer
//! that says nothing final (the host did not answer, VMS failed), the same request id is another
//! attempt; whatever is done here does no harm when it is repeated.
//!
//! An act is carried out to its end and written down even if its caller hangs up.

use super::{authorise, errors};
use crate::store::{Act, Begun, Store};
use api::{Caller, Error, Role};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Caller and request id.
type Key = (String, String);

/// What is under way, and where it is written down. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Once {
    store: Store,
    /// Whoever holds the lock of a request id carries it out; others wait.
    under_way: Arc<Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>>,
}

/// An act that is asked for.
pub(crate) struct Asked {
    once: Once,
    act: Act,
}

impl Once {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            under_way: Arc::default(),
        }
    }

    /// Somebody asks for an operation on something.
    pub fn act(
        &self,
        caller: &Caller,
        operation: &'static str,
        target: String,
        request_id: Option<String>,
    ) -> Asked {
        Asked {
            once: self.clone(),
            act: Act {
                caller: caller.clone(),
                operation,
                target,
                request_id,
            },
        }
    }
}

impl Asked {
    /// Carries it out, if the caller's role is enough, unless its request id was before: then the
    /// first result is given again.
    pub async fn carry_out<T>(
        mut self,
        role: Role,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let refused = authorise(&self.act.caller, role).and_then(|()| {
            self.act
                .request_id
                .as_deref()
                .map_or(Ok(()), check_request_id)
        });
        if let Err(error) = refused {
            // Written down, but not as this request id's result.
            self.act.request_id = None;
            self.refuse(&error).await?;
            return Err(error);
        }
        match tokio::spawn(async move { self.in_turn(work).await }).await {
            Ok(result) => result,
            Err(error) => Err(errors::internal("the act was broken off", &error)),
        }
    }

    async fn refuse(&self, error: &Error) -> Result<(), Error> {
        let store = &self.once.store;
        let written = async {
            if let Begun::Do(id) = store.begin_act(&self.act).await? {
                store.finish_act(id, outcome(error), None).await?;
            }
            Ok(())
        };
        written.await.map_err(|error| errors::from_store(&error))
    }

    async fn in_turn<T: Serialize + DeserializeOwned>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(request_id) = &self.act.request_id else {
            return self.written_down(work).await;
        };
        let key = (self.act.caller.name.clone(), request_id.clone());
        let all = || {
            let all = self.once.under_way.lock();
            all.unwrap_or_else(PoisonError::into_inner)
        };
        let turn = Arc::clone(all().entry(key.clone()).or_default());
        let result = {
            let _turn = turn.lock().await;
            self.written_down(work).await
        };
        let mut all = all();
        // The map's and ours: nobody else waits for it.
        if Arc::strong_count(&turn) == 2 {
            all.remove(&key);
        }
        result
    }

    async fn written_down<T: Serialize + DeserializeOwned>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let store = &self.once.store;
        let begun = store.begin_act(&self.act).await;
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
        let result = work.await;
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
