//! The statements that read, on a read-only pool of their own.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

use crate::aggregate::{Plan, Sample};
use crate::{Error, Latest, Query, Series, row, schema};

/// More readers than this wait for each other. Each is a thread that sleeps when unused.
const MAXIMUM_CONNECTIONS: u32 = 4;

/// The metrics of a row, in order.
type Layout = Arc<[String]>;

/// A row as it is stored: time, layout, simulated, values.
type StoredRow = (i64, i64, bool, Vec<u8>);

#[derive(Debug)]
pub(crate) struct Reader {
    pool: SqlitePool,
    /// Layouts are never changed nor removed, so what was once read stays true.
    layouts: RwLock<HashMap<i64, Layout>>,
}

impl Reader {
    /// Connects when first used.
    pub fn open(path: &Path) -> Reader {
        Reader {
            pool: SqlitePoolOptions::new()
                .max_connections(MAXIMUM_CONNECTIONS)
                .connect_lazy_with(schema::options_for_reading(path)),
            layouts: RwLock::default(),
        }
    }

    pub async fn query(&self, query: &Query) -> Result<Series, Error> {
        let plan = Plan::new(query)?;
        let rows: Vec<StoredRow> = sqlx::query_as(
            "SELECT at_ms, layout_id, simulated, data FROM sample \
             WHERE entity_id = (SELECT id FROM entity WHERE name = ?) \
             AND at_ms > ? AND at_ms <= ? ORDER BY at_ms",
        )
        .bind(&query.entity)
        .bind(plan.samples_after_ms())
        .bind(plan.samples_until_ms())
        .fetch_all(&self.pool)
        .await?;
        // Rows of one shape follow each other: look the metric up once for all of them.
        let mut position_in: Option<(i64, Option<usize>)> = None;
        let mut samples = Vec::with_capacity(rows.len());
        for (at_ms, layout_id, simulated, data) in rows {
            let position = match position_in {
                Some((known, position)) if known == layout_id => position,
                _ => {
                    let layout = self.layout(layout_id).await?;
                    let found = layout.iter().position(|metric| *metric == query.metric);
                    position_in = Some((layout_id, found));
                    found
                }
            };
            if let Some(position) = position {
                let value = row::decode(&data)
                    .nth(position)
                    .ok_or_else(|| Error::Corrupt {
                        entity: query.entity.clone(),
                        at_ms,
                    })?;
                samples.push(Sample {
                    at_ms,
                    value,
                    simulated,
                });
            }
        }
        Ok(plan.fold(samples))
    }

    pub async fn latest(&self, entity: &str) -> Result<Option<Latest>, Error> {
        let stored: Option<StoredRow> = sqlx::query_as(
            "SELECT at_ms, layout_id, simulated, data FROM sample \
             WHERE entity_id = (SELECT id FROM entity WHERE name = ?) \
             ORDER BY at_ms DESC LIMIT 1",
        )
        .bind(entity)
        .fetch_optional(&self.pool)
        .await?;
        let Some((at_ms, layout_id, simulated, data)) = stored else {
            return Ok(None);
        };
        let layout = self.layout(layout_id).await?;
        let values: Vec<_> = layout.iter().cloned().zip(row::decode(&data)).collect();
        if values.len() < layout.len() {
            return Err(Error::Corrupt {
                entity: entity.to_owned(),
                at_ms,
            });
        }
        Ok(Some(Latest {
            at_ms,
            values,
            simulated,
        }))
    }

    pub async fn last_tick_ms(&self) -> Result<Option<i64>, Error> {
        let last = sqlx::query_scalar("SELECT max(at_ms) FROM tick")
            .fetch_one(&self.pool)
            .await?;
        Ok(last)
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn layout(&self, id: i64) -> Result<Layout, Error> {
        let known = self
            .layouts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned();
        if let Some(layout) = known {
            return Ok(layout);
        }
        let metrics: String = sqlx::query_scalar("SELECT metrics FROM layout WHERE id = ?")
            .bind(id)
            .fetch_one(&self.pool)
            .await?;
        let layout: Layout = metrics.lines().map(str::to_owned).collect();
        self.layouts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, layout.clone());
        Ok(layout)
    }
}
