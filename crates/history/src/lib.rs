//! The time-series store over SQLite: owns the format of history.db.
