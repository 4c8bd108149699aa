-- Events are changed in place, a part at a time, and what was there before is kept; they are listed by
-- what they say of themselves; people know things by small numbers. Some tables get a `detail`: what
-- only its owner's other tools ask for, as JSON.

-- 0: as it came. 1: parts were added or moved since, and stand in no order
ALTER TABLE record ADD COLUMN edited INTEGER NOT NULL DEFAULT 0;
-- 1: attributes that hold nothing but a text are in the index too
ALTER TABLE record ADD COLUMN texts INTEGER NOT NULL DEFAULT 0;
-- the first version's id, kept by later ones
ALTER TABLE record ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE record SET number = coalesce((SELECT min(o.id) FROM record o WHERE o.uuid = record.uuid AND o.kind = record.kind AND o.owner = record.owner), id);
CREATE INDEX record_number ON record (kind, number) WHERE state = 1;

CREATE TABLE event (                    -- what an event says of itself, of records of that kind
    record       INTEGER PRIMARY KEY REFERENCES record (id),
    published    INTEGER NOT NULL,
    published_at INTEGER NOT NULL,       -- Unix seconds, as in MISP; 0: never
    touched      INTEGER NOT NULL,       -- its `timestamp`, Unix seconds
    day          TEXT NOT NULL,          -- its `date`
    author       BLOB,                   -- Orgc
    threat       INTEGER NOT NULL,
    analysis     INTEGER NOT NULL,
    extends      BLOB,
    locked       INTEGER NOT NULL,       -- came from elsewhere: only its author's copy is changed
    sighted      INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX event_touched ON event (touched);
CREATE INDEX event_published ON event (published_at);
CREATE INDEX event_extends ON event (extends);
CREATE TABLE event_count (              -- attributes that are not deleted, by label: nobody counts what is not theirs
    record     INTEGER NOT NULL,
    label      INTEGER NOT NULL,
    attributes INTEGER NOT NULL,
    PRIMARY KEY (record, label)
) WITHOUT ROWID;
CREATE TABLE part_tag (
    tag     INTEGER NOT NULL,
    label   INTEGER NOT NULL,
    record  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (tag, label, record, ordinal)
) WITHOUT ROWID;
CREATE TABLE moved (                    -- parts that are known by the place where they stood first
    record  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    PRIMARY KEY (record, ordinal)
) WITHOUT ROWID;
CREATE UNIQUE INDEX moved_number ON moved (record, number);
CREATE TABLE past (                     -- what stood there before a change
    id      INTEGER PRIMARY KEY,
    record  INTEGER NOT NULL,
    version INTEGER NOT NULL,            -- the last version that had it
    ordinal INTEGER NOT NULL,            -- -1: the head
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    body    BLOB NOT NULL                -- zstd
);
CREATE INDEX past_record ON past (record, version);

CREATE TABLE number (                   -- small numbers for things that have a UUID
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    uuid BLOB NOT NULL,
    UNIQUE (kind, uuid)
);
INSERT INTO number (kind, uuid) SELECT 'org', uuid FROM org ORDER BY created, uuid;
INSERT INTO number (kind, uuid) SELECT 'user', uuid FROM account ORDER BY created, uuid;
INSERT INTO number (kind, uuid) SELECT 'group', uuid FROM sharing_group ORDER BY uuid;

CREATE TABLE entry (                    -- what operators set up: feeds, servers, block lists, exclusions, settings
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,              -- unique within its kind
    org      BLOB,
    account  BLOB,
    body     TEXT NOT NULL,              -- JSON
    created  INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    UNIQUE (kind, name)
);

ALTER TABLE org ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
ALTER TABLE account ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
ALTER TABLE sharing_group ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
ALTER TABLE tag ADD COLUMN colour TEXT NOT NULL DEFAULT '';
ALTER TABLE tag ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
ALTER TABLE sighting ADD COLUMN event BLOB;
ALTER TABLE sighting ADD COLUMN attribute BLOB;
CREATE INDEX sighting_event ON sighting (event);
CREATE INDEX sighting_attribute ON sighting (attribute);

-- Events that are there already are listed when the store is opened: see `event.rs`.
INSERT INTO meta (key, value) SELECT 'list_events', '1' FROM record WHERE kind = 'event' LIMIT 1;
