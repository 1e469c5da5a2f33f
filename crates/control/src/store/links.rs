//! Virtual links that VMS made.

use super::{Store, StoreError};
use api::VirtualLinkId;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

impl Store {
    /// Keeps a link: committed when this returns.
    pub async fn put_link(
        &self,
        id: VirtualLinkId,
        created_at: Timestamp,
        link: &impl Serialize,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO virtual_link (id, created_ms, link) VALUES (?, ?, ?)")
            .bind(id.to_string())
            .bind(created_at.as_millisecond())
            .bind(serde_json::to_string(link)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Forgets a link, if it is there.
    pub async fn forget_link(&self, id: VirtualLinkId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM virtual_link WHERE id = ?")
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// All links, the oldest first. One that cannot be read is told in the log and left out.
    pub async fn links<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT id, link FROM virtual_link ORDER BY created_ms, id")
                .fetch_all(&self.pool)
                .await?;
        let mut links = Vec::with_capacity(rows.len());
        for (id, link) in rows {
            match serde_json::from_str(&link) {
                Ok(link) => links.push(link),
                Err(error) => tracing::error!(link = id, %error, "a virtual link cannot be read"),
            }
        }
        Ok(links)
    }
}
