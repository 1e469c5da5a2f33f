//! A connection that is opened anew when it was lost.

use super::DEADLINE;
use libvirt::{Connection, Error, Options, Uri};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long opening a connection may take: name resolution, handshakes, a login over SSH.
const OPEN_DEADLINE: Duration = Duration::from_secs(15);

/// One of a host's connections.
#[derive(Debug)]
pub(crate) struct Line {
    uri: Uri,
    name: String,
    connection: Mutex<Connection>,
}

impl Line {
    /// Opens it for the first time. The name is that of its thread.
    pub async fn open(uri: &Uri, name: String) -> Result<Self, Error> {
        let connection = Mutex::new(open(uri, &name).await?);
        let uri = uri.clone();
        Ok(Self {
            uri,
            name,
            connection,
        })
    }

    /// The connection, opened anew if it was lost. One of the in-process driver is not: what a new
    /// one shows is another world.
    pub async fn connection(&self) -> Result<Connection, Error> {
        let mut connection = self.connection.lock().await;
        if connection.is_lost() && !self.uri.is_in_process() {
            *connection = open(&self.uri, &self.name).await?;
        }
        Ok(connection.clone())
    }
}

async fn open(uri: &Uri, name: &str) -> Result<Connection, Error> {
    let options = Options {
        name: name.to_owned(),
        deadline: DEADLINE,
        open_deadline: OPEN_DEADLINE,
    };
    Connection::open(uri, options).await
}
