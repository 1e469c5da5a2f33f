-- Virtual links that VMS made, from when they were made to when they are taken away.
CREATE TABLE virtual_link (
    id TEXT PRIMARY KEY,
    -- When it was asked for, milliseconds since the epoch.
    created_ms INTEGER NOT NULL,
    -- JSON of provisioning::Made: what callers are told, and what carries it.
    link TEXT NOT NULL
) STRICT;
