-- Records as they came, one observable index, and the people of the node.
-- Times are Unix milliseconds, UUIDs 16 bytes. Written in the dialect that SQLite and PostgreSQL share
-- where they do; lines for one of them stand after '--- sqlite' or '--- postgres'.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE org (
    uuid    BLOB PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    country TEXT NOT NULL DEFAULT '',
    local   INTEGER NOT NULL,            -- 1: of this node's community
    created INTEGER NOT NULL
);
CREATE TABLE org_client (               -- TLP:AMBER reaches the clients of an organisation
    server BLOB NOT NULL REFERENCES org (uuid),
    client BLOB NOT NULL REFERENCES org (uuid),
    PRIMARY KEY (server, client)
);

CREATE TABLE account (
    uuid     BLOB PRIMARY KEY,
    org      BLOB NOT NULL REFERENCES org (uuid),
    email    TEXT NOT NULL UNIQUE,
    role     TEXT NOT NULL,
    password TEXT NOT NULL,              -- argon2id, PHC string
    language TEXT NOT NULL DEFAULT '',
    disabled INTEGER NOT NULL DEFAULT 0,
    created  INTEGER NOT NULL
);
CREATE TABLE api_key (
    id      INTEGER PRIMARY KEY,
    account BLOB NOT NULL REFERENCES account (uuid),
    hash    BLOB NOT NULL UNIQUE,        -- SHA-256 of a 256-bit random key
    hint    TEXT NOT NULL,               -- its last four characters
    note    TEXT NOT NULL DEFAULT '',
    scope   TEXT NOT NULL,               -- rights, comma separated
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE session (
    hash    BLOB PRIMARY KEY,            -- SHA-256 of the cookie's token
    account BLOB NOT NULL REFERENCES account (uuid),
    csrf    TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
);
CREATE INDEX session_expires ON session (expires);

CREATE TABLE sharing_group (
    uuid          BLOB PRIMARY KEY,
    name          TEXT NOT NULL,
    owner         BLOB,
    shows_members INTEGER NOT NULL DEFAULT 0,
    active        INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE sharing_group_member (
    sharing_group BLOB NOT NULL REFERENCES sharing_group (uuid),
    org           BLOB NOT NULL,
    PRIMARY KEY (sharing_group, org)
);

CREATE TABLE label (                    -- each distinct (owner, marking) once: policy judges these
    id      INTEGER PRIMARY KEY,
    owner   BLOB NOT NULL,
    marking TEXT NOT NULL                -- canonical JSON
--- sqlite
    , UNIQUE (owner, marking)
--- both
);
--- postgres
-- B-trees take no long texts: see engine/dialect.rs
CREATE UNIQUE INDEX label_marking ON label (owner, (CAST(md5(marking) AS uuid)), (hashtextextended(marking, 1)));
--- both

CREATE TABLE record (                   -- one row a version
    id          INTEGER PRIMARY KEY,
    uuid        BLOB NOT NULL,
    kind        TEXT NOT NULL,
    owner       BLOB NOT NULL,
    version     INTEGER NOT NULL,
    state       INTEGER NOT NULL,        -- 0 being written, 1 current, 2 superseded, 3 withdrawn
    label       INTEGER NOT NULL REFERENCES label (id),
    format      TEXT NOT NULL,
    title       TEXT NOT NULL,
    author      TEXT,
    created     INTEGER,
    modified    INTEGER,
    received    INTEGER NOT NULL,
    received_by TEXT NOT NULL,
    source      TEXT NOT NULL,
    digest      BLOB NOT NULL,           -- SHA-256 of the content as it came
    tags        TEXT NOT NULL,           -- JSON list
    parts       INTEGER NOT NULL DEFAULT 0,
    indexed     INTEGER NOT NULL DEFAULT 1, -- 0: its occurrences and texts have been cleared away
    skeleton    BLOB NOT NULL            -- zstd
);
-- who holds this? (one current copy per holder)
CREATE UNIQUE INDEX record_current ON record (uuid, kind, owner) WHERE state = 1;
-- versions of this; why
CREATE INDEX record_uuid ON record (uuid);
-- lists: newest first within a label
CREATE INDEX record_label ON record (label, id) WHERE state = 1;
-- lists for those who see everything
CREATE INDEX record_list ON record (id) WHERE state = 1;
-- of one kind
CREATE INDEX record_kind ON record (kind, id) WHERE state = 1;
-- the same content again?
CREATE INDEX record_digest ON record (digest, owner) WHERE state = 1;
-- what a crash left half written, and old versions still in the index
CREATE INDEX record_leftover ON record (state, received) WHERE state <> 1 AND indexed = 1;

CREATE TABLE chunk (                    -- a run of parts, zstd
    record INTEGER NOT NULL REFERENCES record (id),
    first  INTEGER NOT NULL,             -- ordinal of its first part
    parts  INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (record, first)
);
CREATE TABLE part_uuid (                -- parts that have an identifier of their own
    uuid    BLOB NOT NULL,
    record  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (uuid, record, ordinal)
) WITHOUT ROWID;

CREATE TABLE observable (
    id    INTEGER PRIMARY KEY,
    type  INTEGER NOT NULL,
    value TEXT NOT NULL
--- sqlite
    , UNIQUE (type, value)
--- both
);
--- postgres
CREATE UNIQUE INDEX observable_value ON observable (type, (CAST(md5(value) AS uuid)), (hashtextextended(value, 1)));
-- values that begin alike
CREATE INDEX observable_begin ON observable (type, (left(value, 256)));
--- both
CREATE TABLE reach (                    -- parent domains, networks
    kind       INTEGER NOT NULL,         -- 0 name (labels right to left), 1 network (16 bytes and length)
    key        BLOB NOT NULL,
    observable INTEGER NOT NULL,
    PRIMARY KEY (kind, key, observable)
) WITHOUT ROWID;
CREATE TABLE occurrence (               -- who mentions this value?
    observable INTEGER NOT NULL,
    label      INTEGER NOT NULL,
    record     INTEGER NOT NULL,
    ordinal    INTEGER NOT NULL,
    detect     INTEGER NOT NULL,
    PRIMARY KEY (observable, label, record, ordinal)
) WITHOUT ROWID;

CREATE TABLE sighting (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB NOT NULL UNIQUE,
    observable INTEGER NOT NULL,
    kind       INTEGER NOT NULL,         -- 0 seen, 1 false positive, 2 expired
    label      INTEGER NOT NULL,
    org        BLOB NOT NULL,
    seen       INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    source     TEXT NOT NULL DEFAULT '',
    received   INTEGER NOT NULL
);
CREATE INDEX sighting_observable ON sighting (observable, label);

CREATE TABLE tag (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE record_tag (
    tag    INTEGER NOT NULL,
    record INTEGER NOT NULL,
    PRIMARY KEY (tag, record)
) WITHOUT ROWID;

CREATE TABLE text_doc (                 -- a text of a record or of one of its parts
    id      INTEGER PRIMARY KEY,
    record  INTEGER NOT NULL,
    ordinal INTEGER,                     -- null: the record's title
    label   INTEGER NOT NULL
);
CREATE INDEX text_doc_record ON text_doc (record);
--- sqlite
CREATE VIRTUAL TABLE text_index USING fts5 (
    body, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
--- postgres
CREATE TABLE text_index (
    rowid BIGINT PRIMARY KEY,
    body  tsvector NOT NULL
);
CREATE INDEX text_index_body ON text_index USING gin (body);
--- both

CREATE TABLE audit (                    -- each row's hash covers the one before
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL,
    hash    BLOB NOT NULL
);
