-- The topology's history, what hosts reported last, and the acts of pilots.
-- Times are milliseconds since the epoch, UTC.

-- One row: the version that the topology is at, and the links that were declared for it.
CREATE TABLE topology_state (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    -- The last version that is stored here.
    version INTEGER NOT NULL,
    -- No version up to this one is given again: some may have been published and not stored
    -- before a sudden death.
    reserved INTEGER NOT NULL,
    -- JSON.
    declared_links TEXT NOT NULL
) STRICT;

INSERT INTO topology_state (id, version, reserved, declared_links) VALUES (0, 0, 0, '[]');

-- What changed with each version; enough to go either way in time.
CREATE TABLE topology_change (
    version INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    -- One sentence a line, for people.
    summary TEXT NOT NULL,
    -- JSON of model::Difference.
    difference TEXT NOT NULL
) STRICT;

CREATE INDEX topology_change_at ON topology_change (at_ms);

-- What was known of each host at the last version that is stored.
CREATE TABLE host_report (
    host TEXT PRIMARY KEY,
    -- JSON of model::HostReport.
    report TEXT NOT NULL
) STRICT;

-- Who asked for what, and how it ended.
CREATE TABLE act (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    caller TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT,
    operation TEXT NOT NULL,
    target TEXT NOT NULL,
    request_id TEXT,
    -- NULL while it is being done, or if the server died meanwhile.
    finished_ms INTEGER,
    -- `done`, or the name of the fault.
    outcome TEXT,
    -- JSON of the reply or the error, as the caller got it.
    result TEXT
) STRICT;

CREATE INDEX act_at ON act (at_ms);
CREATE UNIQUE INDEX act_request ON act (caller, request_id) WHERE request_id IS NOT NULL;
