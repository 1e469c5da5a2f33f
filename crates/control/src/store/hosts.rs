//! The hosts that were registered while the server ran.

use super::{Store, StoreError};
use api::{HostId, RegisterHostRequest};
use jiff::Timestamp;

impl Store {
    /// Every registration, by id. One that cannot be read is told in the log and left out.
    pub async fn hosts(&self) -> Result<Vec<RegisterHostRequest>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT id, registration FROM host ORDER BY id")
                .fetch_all(&self.pool)
                .await?;
        let mut hosts = Vec::with_capacity(rows.len());
        for (id, registration) in rows {
            match serde_json::from_str(&registration) {
                Ok(registration) => hosts.push(registration),
                Err(error) => {
                    tracing::error!(host = id, %error, "a host's registration cannot be read");
                }
            }
        }
        Ok(hosts)
    }

    /// Keeps a registration.
    pub async fn put_host(&self, registration: &RegisterHostRequest) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO host (id, at_ms, registration) VALUES (?, ?, ?)")
            .bind(registration.host.as_str())
            .bind(Timestamp::now().as_millisecond())
            .bind(serde_json::to_string(registration)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Forgets a registration.
    pub async fn remove_host(&self, host: &HostId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM host WHERE id = ?")
            .bind(host.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
