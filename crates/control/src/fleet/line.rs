//! A connection that is opened anew when it was lost.

use super::DEADLINE;
use libvirt::{Budget, Connection, Credentials, Error, Options, Uri};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// How long opening a connection may take: name resolution, handshakes, a login over SSH.
pub(crate) const OPEN_DEADLINE: Duration = Duration::from_secs(15);

/// Calls under way at once on a connection for one piece of work: the work, watching it, and ending
/// it.
const SESSION: usize = 3;

/// How an endpoint is reached.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub uri: Uri,
    pub credentials: Credentials,
    /// How many of the host's calls may hang.
    pub budget: Budget,
}

impl Way {
    /// Opens a connection with a name for its threads, on which so many calls may be under way.
    pub async fn open(&self, name: &str, workers: usize) -> Result<Connection, Error> {
        let options = Options {
            name: name.to_owned(),
            deadline: DEADLINE,
            open_deadline: OPEN_DEADLINE,
            workers,
            budget: self.budget.clone(),
            credentials: self.credentials.clone(),
        };
        Connection::open(&self.uri, options).await
    }
}

/// One of an endpoint's connections.
#[derive(Debug)]
pub(crate) struct Line {
    way: Arc<Way>,
    name: String,
    workers: usize,
    connection: Mutex<Connection>,
}

impl Line {
    /// Opens it for the first time.
    pub async fn open(way: &Arc<Way>, name: String, workers: usize) -> Result<Self, Error> {
        let connection = Mutex::new(way.open(&name, workers).await?);
        Ok(Self {
            way: Arc::clone(way),
            name,
            workers,
            connection,
        })
    }

    /// A connection of one's own, for work that takes long: calls of others do not wait for it. Of
    /// the in-process driver it is this one, for a new one would show another world.
    pub async fn session(&self, purpose: &str) -> Result<Connection, Error> {
        if self.way.uri.is_in_process() {
            return self.connection().await;
        }
        self.way.open(purpose, SESSION).await
    }

    /// Where it leads.
    pub fn uri(&self) -> &Uri {
        &self.way.uri
    }

    /// The connection, opened anew if it was lost. One of the in-process driver is not: what a new
    /// one shows is another world.
    pub async fn connection(&self) -> Result<Connection, Error> {
        let mut connection = self.connection.lock().await;
        if connection.is_lost() && !self.way.uri.is_in_process() {
            *connection = self.way.open(&self.name, self.workers).await?;
        }
        Ok(connection.clone())
    }
}
