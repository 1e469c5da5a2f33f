//! Keeps the list of jobs: reads it once it is wanted, and what is heard after that.

use super::Desk;
use crate::{
    live::{Live, Status},
    server_functions::list_jobs,
};
use api::Event;
use leptos::{prelude::*, task::spawn_local};

/// So many jobs a page reads.
const READ: u32 = 50;

/// Starts keeping it.
pub fn start(desk: Desk) {
    let live = expect_context::<Live>();
    desk.recall();
    // Read when the stream stands, and again whenever something was missed.
    Effect::new(move |read: Option<Option<u32>>| {
        let read = read.flatten();
        let epoch = live.now.get().epoch;
        if live.status.get() != Status::Live || read == Some(epoch) {
            return read;
        }
        spawn_local(async move {
            // Without an answer, what happens next is known at least.
            if let Ok(reply) = list_jobs(READ).await {
                desk.read(&reply.jobs);
            }
        });
        Some(epoch)
    });
    Effect::new(move || {
        if desk.news.with(Vec::is_empty) {
            return;
        }
        let news = desk.news.try_update(std::mem::take).unwrap_or_default();
        for text in news {
            if let Ok(Event::Job { job }) = serde_json::from_str(&text) {
                desk.hear(&job);
            }
        }
    });
}
