//! The index of the image store, uploads that are under way, and what VMS put on hosts.

use super::{Store, StoreError};
use crate::images::{Received, Stored, Upload};
use api::{ImageDescription, ImageFile, ImageFileRole, ImageId, UploadId};
use jiff::Timestamp;
use model::{Driver, HostId};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Sqlite, Transaction, error::ErrorKind};
use std::collections::BTreeSet;

/// What became of an attempt to give an image its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// It has it.
    Done,
    /// Another image has this name and version.
    Taken,
    /// There is no such image.
    Gone,
}

/// A volume that VMS put on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VolumeRow {
    pub host: HostId,
    pub driver: Driver,
    pub pool: String,
    pub volume: String,
    /// Where the host sees it.
    pub path: String,
    pub sha256: String,
}

/// A pool that VMS made on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PoolRow {
    pub host: HostId,
    pub driver: Driver,
    pub pool: String,
    /// Whether its directory was made for it.
    pub directory_made: bool,
}

/// An image on a host: since when.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct CopyRow {
    pub image: String,
    pub host: String,
    pub since_ms: i64,
}

#[derive(sqlx::FromRow)]
struct ImageRow {
    id: String,
    kind: String,
    description: String,
    created_ms: i64,
    created_by: String,
}

#[derive(sqlx::FromRow)]
struct FileRow {
    image: String,
    role: String,
    size_bytes: i64,
    virtual_size_bytes: Option<i64>,
    sha256: String,
}

#[derive(sqlx::FromRow)]
struct UploadRow {
    id: String,
    kind: String,
    description: String,
    created_ms: i64,
    created_by: String,
    expires_ms: i64,
    image: Option<String>,
}

#[derive(sqlx::FromRow)]
struct UploadFileRow {
    upload: String,
    role: String,
    size_bytes: Option<i64>,
    expected_sha256: Option<String>,
    received_bytes: i64,
    sha256: Option<String>,
    virtual_size_bytes: Option<i64>,
}

impl Store {
    /// All images, by name and version. One that cannot be read is told in the log and left out.
    pub async fn images(&self) -> Result<Vec<Stored>, StoreError> {
        let rows: Vec<ImageRow> = sqlx::query_as(
            "SELECT id, kind, description, created_ms, created_by FROM image \
             ORDER BY name, version",
        )
        .fetch_all(&self.pool)
        .await?;
        let files: Vec<FileRow> = sqlx::query_as(
            "SELECT image, role, size_bytes, virtual_size_bytes, sha256 FROM image_file \
             ORDER BY rowid",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut images = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id.clone();
            match stored(row, &files) {
                Ok(image) => images.push(image),
                Err(error) => tracing::error!(image = id, %error, "an image cannot be read"),
            }
        }
        Ok(images)
    }

    /// One image.
    pub async fn image(&self, id: ImageId) -> Result<Option<Stored>, StoreError> {
        let row: Option<ImageRow> = sqlx::query_as(
            "SELECT id, kind, description, created_ms, created_by FROM image WHERE id = ?",
        )
        .bind(id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let files: Vec<FileRow> = sqlx::query_as(
            "SELECT image, role, size_bytes, virtual_size_bytes, sha256 FROM image_file \
             WHERE image = ? ORDER BY rowid",
        )
        .bind(&row.id)
        .fetch_all(&self.pool)
        .await?;
        stored(row, &files).map(Some)
    }

    /// Whether an image has this name and version.
    pub async fn has_image_of_name(&self, of: &ImageDescription) -> Result<bool, StoreError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM image WHERE name = ? AND version = ?")
                .bind(&of.name)
                .bind(&of.version)
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.is_some())
    }

    /// Takes an image into the index, and with it notes that an upload is done.
    pub async fn put_image(
        &self,
        image: &Stored,
        upload: Option<UploadId>,
    ) -> Result<Naming, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO image (id, name, version, kind, description, created_ms, created_by) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(image.id.to_string())
        .bind(&image.description.name)
        .bind(&image.description.version)
        .bind(json(&image.kind)?)
        .bind(json(&image.description)?)
        .bind(image.created_at.as_millisecond())
        .bind(&image.created_by)
        .execute(&mut *transaction)
        .await;
        if is_taken(&inserted) {
            transaction.rollback().await?;
            return Ok(Naming::Taken);
        }
        inserted?;
        for file in &image.files {
            sqlx::query(
                "INSERT INTO image_file (image, role, size_bytes, virtual_size_bytes, sha256) \
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(image.id.to_string())
            .bind(json(&file.role)?)
            .bind(integer(file.size_bytes))
            .bind(file.virtual_size_bytes.map(integer))
            .bind(&file.sha256)
            .execute(&mut *transaction)
            .await?;
        }
        if let Some(upload) = upload {
            sqlx::query("UPDATE image_upload SET image = ? WHERE id = ?")
                .bind(image.id.to_string())
                .bind(upload.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Naming::Done)
    }

    /// Describes an image anew.
    pub async fn describe_image(
        &self,
        id: ImageId,
        description: &ImageDescription,
    ) -> Result<Naming, StoreError> {
        let updated =
            sqlx::query("UPDATE image SET name = ?, version = ?, description = ? WHERE id = ?")
                .bind(&description.name)
                .bind(&description.version)
                .bind(json(description)?)
                .bind(id.to_string())
                .execute(&self.pool)
                .await;
        if is_taken(&updated) {
            return Ok(Naming::Taken);
        }
        Ok(match updated?.rows_affected() {
            0 => Naming::Gone,
            _ => Naming::Done,
        })
    }

    /// Takes an image out of the index.
    pub async fn remove_image(&self, id: ImageId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM image WHERE id = ?")
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The digests of all files that an image or an upload needs.
    pub async fn digests_in_use(&self) -> Result<BTreeSet<String>, StoreError> {
        let digests: Vec<String> = sqlx::query_scalar(
            "SELECT sha256 FROM image_file UNION SELECT f.sha256 FROM image_upload_file f \
             JOIN image_upload u ON u.id = f.upload WHERE f.sha256 IS NOT NULL AND u.image IS NULL",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(digests.into_iter().collect())
    }

    /// All uploads, the oldest first. One that cannot be read is told in the log and left out.
    pub async fn uploads(&self) -> Result<Vec<Upload>, StoreError> {
        let rows: Vec<UploadRow> = sqlx::query_as(
            "SELECT id, kind, description, created_ms, created_by, expires_ms, image \
             FROM image_upload ORDER BY created_ms, id",
        )
        .fetch_all(&self.pool)
        .await?;
        let files: Vec<UploadFileRow> =
            sqlx::query_as("SELECT * FROM image_upload_file ORDER BY rowid")
                .fetch_all(&self.pool)
                .await?;
        let mut uploads = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id.clone();
            match upload(row, &files) {
                Ok(upload) => uploads.push(upload),
                Err(error) => tracing::error!(upload = id, %error, "an upload cannot be read"),
            }
        }
        Ok(uploads)
    }

    /// One upload.
    pub async fn upload(&self, id: UploadId) -> Result<Option<Upload>, StoreError> {
        let row: Option<UploadRow> = sqlx::query_as(
            "SELECT id, kind, description, created_ms, created_by, expires_ms, image \
             FROM image_upload WHERE id = ?",
        )
        .bind(id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let files: Vec<UploadFileRow> =
            sqlx::query_as("SELECT * FROM image_upload_file WHERE upload = ? ORDER BY rowid")
                .bind(&row.id)
                .fetch_all(&self.pool)
                .await?;
        upload(row, &files).map(Some)
    }

    /// Begins an upload.
    pub async fn put_upload(&self, upload: &Upload) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO image_upload (id, name, version, kind, description, created_ms, \
             created_by, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(upload.id.to_string())
        .bind(&upload.description.name)
        .bind(&upload.description.version)
        .bind(json(&upload.kind)?)
        .bind(json(&upload.description)?)
        .bind(upload.created_at.as_millisecond())
        .bind(&upload.created_by)
        .bind(upload.expires_at.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        for file in &upload.files {
            put_file(&mut transaction, upload.id, file).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Notes how much of a file there is, and until when the next part is waited for.
    pub async fn put_received(
        &self,
        upload: UploadId,
        file: &Received,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let known = sqlx::query("UPDATE image_upload SET expires_ms = ? WHERE id = ?")
            .bind(expires_at.as_millisecond())
            .bind(upload.to_string())
            .execute(&mut *transaction)
            .await?;
        // It may have been given up meanwhile.
        if known.rows_affected() > 0 {
            put_file(&mut transaction, upload, file).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets an upload.
    pub async fn remove_upload(&self, id: UploadId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM image_upload WHERE id = ?")
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The copies of all images, or of one.
    pub async fn copies(&self, of: Option<ImageId>) -> Result<Vec<CopyRow>, StoreError> {
        let copies = sqlx::query_as(
            "SELECT image, host, since_ms FROM image_copy WHERE ?1 IS NULL OR image = ?1 \
             ORDER BY host",
        )
        .bind(of.map(|id| id.to_string()));
        Ok(copies.fetch_all(&self.pool).await?)
    }

    /// The volumes that VMS put on hosts, of an image on one host or on all.
    pub async fn image_volumes(
        &self,
        image: ImageId,
        host: Option<&HostId>,
    ) -> Result<Vec<VolumeRow>, StoreError> {
        let rows: Vec<(String, String, String, String, String, String)> = sqlx::query_as(
            "SELECT DISTINCT v.host, v.driver, v.pool, v.volume, v.path, v.sha256 \
             FROM image_copy c JOIN image_file f ON f.image = c.image \
             JOIN image_volume v ON v.host = c.host AND v.sha256 = f.sha256 \
             WHERE c.image = ?1 AND (?2 IS NULL OR c.host = ?2) ORDER BY v.host, v.volume",
        )
        .bind(image.to_string())
        .bind(host.map(HostId::as_str))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(host, driver, pool, volume, path, sha256)| {
                Ok(VolumeRow {
                    host: HostId::new(host),
                    driver: read(&driver)?,
                    pool,
                    volume,
                    path,
                    sha256,
                })
            })
            .collect()
    }

    /// Whether a volume of a host is complete and was verified.
    pub async fn is_verified(&self, of: &VolumeRow) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM image_volume WHERE host = ? AND pool = ? AND volume = ? AND sha256 = ?",
        )
        .bind(of.host.as_str())
        .bind(&of.pool)
        .bind(&of.volume)
        .bind(&of.sha256)
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.is_some())
    }

    /// Notes that a volume is complete and was verified.
    pub async fn put_volume(&self, of: &VolumeRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT OR REPLACE INTO image_volume \
             (host, driver, pool, volume, path, sha256, verified_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(of.host.as_str())
        .bind(json(&of.driver)?)
        .bind(&of.pool)
        .bind(&of.volume)
        .bind(&of.path)
        .bind(&of.sha256)
        .bind(Timestamp::now().as_millisecond())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes that a volume is gone.
    pub async fn forget_volume(
        &self,
        host: &HostId,
        pool: &str,
        volume: &str,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM image_volume WHERE host = ? AND pool = ? AND volume = ?")
            .bind(host.as_str())
            .bind(pool)
            .bind(volume)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes that all of an image is on a host; whether there is such an image still.
    pub async fn put_copy(&self, image: ImageId, host: &HostId) -> Result<bool, StoreError> {
        let put = sqlx::query(
            "INSERT OR IGNORE INTO image_copy (image, host, since_ms) SELECT id, ?, ? FROM image \
             WHERE id = ?",
        )
        .bind(host.as_str())
        .bind(Timestamp::now().as_millisecond())
        .bind(image.to_string())
        .execute(&self.pool)
        .await?;
        if put.rows_affected() > 0 {
            return Ok(true);
        }
        // It was there before, or there is no such image.
        let known: Option<i64> = sqlx::query_scalar("SELECT 1 FROM image WHERE id = ?")
            .bind(image.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(known.is_some())
    }

    /// Notes that an image is no longer on a host.
    pub async fn forget_copy(&self, image: ImageId, host: &HostId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM image_copy WHERE image = ? AND host = ?")
            .bind(image.to_string())
            .bind(host.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Whether an image that is on a host has a file of this digest.
    pub async fn is_needed_on(&self, host: &HostId, sha256: &str) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM image_copy c JOIN image_file f ON f.image = c.image \
             WHERE c.host = ? AND f.sha256 = ? LIMIT 1",
        )
        .bind(host.as_str())
        .bind(sha256)
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.is_some())
    }

    /// A pool that VMS made on a host.
    pub async fn made_pool(
        &self,
        host: &HostId,
        pool: &str,
    ) -> Result<Option<PoolRow>, StoreError> {
        let row: Option<(String, bool)> = sqlx::query_as(
            "SELECT driver, directory_made FROM image_pool WHERE host = ? AND pool = ?",
        )
        .bind(host.as_str())
        .bind(pool)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|(driver, directory_made)| {
            Ok(PoolRow {
                host: host.clone(),
                driver: read(&driver)?,
                pool: pool.to_owned(),
                directory_made,
            })
        })
        .transpose()
    }

    /// Notes that VMS makes a pool.
    pub async fn put_pool(&self, of: &PoolRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT OR REPLACE INTO image_pool (host, driver, pool, directory_made, made_ms) \
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(of.host.as_str())
        .bind(json(&of.driver)?)
        .bind(&of.pool)
        .bind(of.directory_made)
        .bind(Timestamp::now().as_millisecond())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes that a pool that VMS made is gone.
    pub async fn forget_pool(&self, host: &HostId, pool: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM image_pool WHERE host = ? AND pool = ?")
            .bind(host.as_str())
            .bind(pool)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

async fn put_file(
    transaction: &mut Transaction<'_, Sqlite>,
    upload: UploadId,
    file: &Received,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO image_upload_file (upload, role, size_bytes, expected_sha256, \
         received_bytes, sha256, virtual_size_bytes) VALUES (?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (upload, role) DO UPDATE SET size_bytes = excluded.size_bytes, \
         received_bytes = excluded.received_bytes, sha256 = excluded.sha256, \
         virtual_size_bytes = excluded.virtual_size_bytes",
    )
    .bind(upload.to_string())
    .bind(json(&file.role)?)
    .bind(file.size_bytes.map(integer))
    .bind(&file.expected_sha256)
    .bind(integer(file.received_bytes))
    .bind(file.stored.as_ref().map(|stored| &stored.sha256))
    .bind(
        file.stored
            .as_ref()
            .and_then(|stored| stored.virtual_size_bytes)
            .map(integer),
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn stored(row: ImageRow, files: &[FileRow]) -> Result<Stored, StoreError> {
    let mut of = Vec::new();
    for file in files.iter().filter(|file| file.image == row.id) {
        of.push(ImageFile {
            role: read(&file.role)?,
            size_bytes: file.size_bytes as u64,
            virtual_size_bytes: file.virtual_size_bytes.map(|size| size as u64),
            sha256: file.sha256.clone(),
        });
    }
    Ok(Stored {
        id: id(&row.id, ImageId)?,
        kind: read(&row.kind)?,
        description: read(&row.description)?,
        files: of,
        created_at: time(row.created_ms),
        created_by: row.created_by,
    })
}

fn upload(row: UploadRow, files: &[UploadFileRow]) -> Result<Upload, StoreError> {
    let mut of = Vec::new();
    for file in files.iter().filter(|file| file.upload == row.id) {
        let role: ImageFileRole = read(&file.role)?;
        let received_bytes = file.received_bytes as u64;
        of.push(Received {
            role,
            size_bytes: file.size_bytes.map(|size| size as u64),
            expected_sha256: file.expected_sha256.clone(),
            received_bytes,
            stored: file.sha256.as_ref().map(|sha256| ImageFile {
                role,
                size_bytes: received_bytes,
                virtual_size_bytes: file.virtual_size_bytes.map(|size| size as u64),
                sha256: sha256.clone(),
            }),
        });
    }
    Ok(Upload {
        id: id(&row.id, UploadId)?,
        kind: read(&row.kind)?,
        description: read(&row.description)?,
        files: of,
        created_at: time(row.created_ms),
        created_by: row.created_by,
        expires_at: time(row.expires_ms),
        image: row.image.map(|image| id(&image, ImageId)).transpose()?,
    })
}

fn is_taken<T>(done: &Result<T, sqlx::Error>) -> bool {
    matches!(done, Err(sqlx::Error::Database(error)) if error.kind() == ErrorKind::UniqueViolation)
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    Ok(serde_json::from_str(text)?)
}

fn id<T>(text: &str, wrap: impl FnOnce(uuid::Uuid) -> T) -> Result<T, StoreError> {
    let id = text.parse().map(wrap);
    id.map_err(|error| StoreError::Database(sqlx::Error::Decode(Box::new(error))))
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// `SQLite` has no unsigned numbers; no file is larger than this.
fn integer(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
