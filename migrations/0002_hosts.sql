-- The hosts that were registered while the server ran; those that its configuration names are not
-- here.
CREATE TABLE host (
    id TEXT PRIMARY KEY,
    -- When it was registered, milliseconds since the epoch.
    at_ms INTEGER NOT NULL,
    -- JSON of api::RegisterHostRequest.
    registration TEXT NOT NULL
) STRICT;
