-- The index of the image store, uploads that are under way, and what VMS put on hosts.
-- Times are milliseconds since the epoch, UTC; digests are SHA-256 in hexadecimal.

CREATE TABLE image (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- JSON of api::ImageKind.
    kind TEXT NOT NULL,
    -- JSON of api::ImageDescription; its name and version are those above.
    description TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (name, version)
) STRICT;

-- A file is stored once by its digest, however many images it belongs to.
CREATE TABLE image_file (
    image TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    -- JSON of api::ImageFileRole.
    role TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    virtual_size_bytes INTEGER,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (image, role)
) STRICT;

CREATE INDEX image_file_sha256 ON image_file (sha256);

CREATE TABLE image_upload (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    kind TEXT NOT NULL,
    description TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    -- The image, once all of it is there.
    image TEXT
) STRICT;

CREATE TABLE image_upload_file (
    upload TEXT NOT NULL REFERENCES image_upload (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    -- As announced.
    size_bytes INTEGER,
    expected_sha256 TEXT,
    -- On the disk for certain: written and synchronised.
    received_bytes INTEGER NOT NULL,
    -- Once the file is complete and in the store.
    sha256 TEXT,
    virtual_size_bytes INTEGER,
    PRIMARY KEY (upload, role)
) STRICT;

-- The pools that VMS made, and takes away with the last volume in them.
CREATE TABLE image_pool (
    host TEXT NOT NULL,
    pool TEXT NOT NULL,
    driver TEXT NOT NULL,
    -- Whether its directory was made for it, and goes with it.
    directory_made INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    PRIMARY KEY (host, pool)
) STRICT;

-- Volumes that VMS put on hosts, each complete and compared with its digest.
CREATE TABLE image_volume (
    host TEXT NOT NULL,
    pool TEXT NOT NULL,
    volume TEXT NOT NULL,
    driver TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    verified_ms INTEGER NOT NULL,
    PRIMARY KEY (host, pool, volume)
) STRICT;

-- Which image is on which host: all its files are among the volumes above.
CREATE TABLE image_copy (
    image TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (image, host)
) STRICT;
