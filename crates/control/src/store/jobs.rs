//! Jobs, as they are told and as they are gone on with; hosts in maintenance.

use super::{Store, StoreError};
use api::{HostId, Job};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

impl Store {
    /// Keeps a job with its plan: committed when this returns.
    pub async fn put_job(&self, job: &Job, plan: &impl Serialize) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT OR REPLACE INTO job (id, created_ms, over, job, plan) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(job.id.to_string())
        .bind(job.created_at.as_millisecond())
        .bind(job.state.is_over())
        .bind(serde_json::to_string(job)?)
        .bind(serde_json::to_string(plan)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The newest jobs and all that are not over, the oldest first. One that cannot be read is told
    /// in the log and left out.
    pub async fn jobs<P: DeserializeOwned>(
        &self,
        newest: u32,
    ) -> Result<Vec<(Job, P)>, StoreError> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT id, job, plan FROM job WHERE over = 0 OR id IN \
             (SELECT id FROM job ORDER BY created_ms DESC LIMIT ?) ORDER BY created_ms",
        )
        .bind(newest)
        .fetch_all(&self.pool)
        .await?;
        let mut jobs = Vec::with_capacity(rows.len());
        for (id, job, plan) in rows {
            let read = serde_json::from_str(&job)
                .and_then(|job| serde_json::from_str(&plan).map(|plan| (job, plan)));
            match read {
                Ok(read) => jobs.push(read),
                Err(error) => tracing::error!(job = id, %error, "a job cannot be read"),
            }
        }
        Ok(jobs)
    }

    /// The hosts that are in maintenance, with why.
    pub async fn maintenance(&self) -> Result<Vec<(String, Option<String>)>, StoreError> {
        let rows = sqlx::query_as("SELECT host, reason FROM host_maintenance");
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Puts a host into maintenance.
    pub async fn begin_maintenance(
        &self,
        host: &HostId,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT OR REPLACE INTO host_maintenance (host, at_ms, reason) VALUES (?, ?, ?)",
        )
        .bind(host.as_str())
        .bind(Timestamp::now().as_millisecond())
        .bind(reason)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes a host back into use.
    pub async fn end_maintenance(&self, host: &HostId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM host_maintenance WHERE host = ?")
            .bind(host.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
