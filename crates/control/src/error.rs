//! Why the control cannot start, in sentences for whoever starts it.

use std::{io, path::PathBuf};

/// Why the control cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings make no sense; the sentence says which.
    #[error("{0}")]
    Settings(String),
    /// The data directory cannot be used.
    #[error(
        "cannot use the data directory {}: {source}; give a directory that this user may write to",
        path.display()
    )]
    DataDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory of the image store cannot be used.
    #[error(
        "cannot use the directory of images {}: {source}; give image_directory a directory that this \
         user may write to", path.display()
    )]
    ImageDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory that images are imported from cannot be read.
    #[error(
        "cannot read the import directory {}: {source}; give import_directory a directory that is \
         there and that this user may read", path.display()
    )]
    ImportDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another server uses the data directory.
    #[error(
        "another VMS server uses the data directory {}: stop it, or give this one a directory of \
         its own", path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A later version of this program wrote the database.
    #[error(
        "{} was written by a newer VMS (its schema has step {version}, which this one does not \
         know): start the newer one, or give another data directory", path.display()
    )]
    NewerDatabase {
        /// The file.
        path: PathBuf,
        /// The step of the schema that is not known.
        version: i64,
    },
    /// The database cannot be opened or read.
    #[error(
        "cannot use the database {}: {source}; if it is damaged, restore it from a backup or move \
         it away to begin anew", path.display()
    )]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The history cannot be opened.
    #[error("{0}")]
    History(#[from] history::Error),
}
