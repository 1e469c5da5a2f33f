-- Jobs, and hosts in maintenance.
CREATE TABLE job (
    id TEXT PRIMARY KEY,
    -- When it was asked for, milliseconds since the epoch.
    created_ms INTEGER NOT NULL,
    -- Whether it has ended for good.
    over INTEGER NOT NULL,
    -- JSON of api::Job, as it is told.
    job TEXT NOT NULL,
    -- JSON of what is to be done and undone: enough to go on after a sudden death.
    plan TEXT NOT NULL
) STRICT;

CREATE INDEX job_created ON job (created_ms);

CREATE TABLE host_maintenance (
    host TEXT PRIMARY KEY,
    -- Since when, milliseconds since the epoch.
    at_ms INTEGER NOT NULL,
    reason TEXT
) STRICT;
