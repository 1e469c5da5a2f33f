//! Acts: what a person makes the server do, by a form that works with and without script.

use crate::{Failure, wire::Acting};
use leptos::{
    ev::SubmitEvent,
    form::FromFormData,
    html,
    prelude::*,
    server::ServerActionError,
    server_fn::{ServerFn, error::ServerFnUrlError},
    task::spawn_local,
};
use serde::de::DeserializeOwned;
use std::future::Future;

/// How acts of one kind go.
#[derive(Clone, Copy, Default)]
pub struct Act {
    /// Whether one is under way.
    pub pending: RwSignal<bool>,
    /// Why the last one failed.
    pub failure: RwSignal<Option<Failure>>,
}

impl Act {
    /// Nothing is under way. The failure is that with which a form came back that was sent without
    /// script, if so.
    pub fn of<F: ServerFn>() -> Self {
        let failed = use_context::<ServerActionError>()
            .filter(|error| error.path() == F::PATH)
            .map(|error| ServerFnUrlError::decode_err(error.err()));
        let act = Self::default();
        act.failure.set(failed);
        act
    }

    /// Waits for an act, and hands what comes of it to `done`; one at a time.
    pub fn run<T>(
        self,
        act: impl Future<Output = Result<T, Failure>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        if self.pending.get_untracked() {
            return;
        }
        self.pending.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let answer = act.await;
            // The page may be another by now.
            if self.pending.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(answer) => done(answer),
                Err(failure) => self.failure.set(Some(failure)),
            }
        });
    }

    /// A form whose fields are the arguments of `F`.
    pub fn form<F>(
        self,
        node_ref: NodeRef<html::Form>,
        done: impl Fn(F::Output) + Copy + Send + 'static,
        fields: AnyView,
    ) -> AnyView
    where
        F: ServerFn<Error = Failure, Protocol = Acting> + DeserializeOwned + 'static,
        F::Output: 'static,
    {
        let submit = move |event: SubmitEvent| {
            event.prevent_default();
            match F::from_event(&event) {
                Ok(arguments) => self.run(arguments.run_on_client(), done),
                // The browser has checked the fields: this is for what it does not know.
                Err(error) => {
                    let failure = Failure::Transport(format!("This cannot be sent: {error}."));
                    self.failure.set(Some(failure));
                }
            }
        };
        view! {
            <form action=F::PATH method="post" node_ref=node_ref on:submit=submit>{fields}</form>
        }
        .into_any()
    }
}
