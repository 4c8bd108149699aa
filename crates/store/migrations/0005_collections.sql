-- Collections that others write into over TAXII: STIX objects as they came, each version of them, and what
-- became of each envelope.

CREATE TABLE clock (                    -- microseconds that were given out: no two things that came have the same
    id   INTEGER PRIMARY KEY,
    last INTEGER NOT NULL
);

CREATE TABLE boxed (
    added      INTEGER PRIMARY KEY,      -- when it came, Unix microseconds by the clock above
    collection INTEGER NOT NULL,         -- entry
    uuid       BLOB NOT NULL,
    type       TEXT NOT NULL,
    version    INTEGER NOT NULL,         -- Unix microseconds: its `modified`, else `created`, else when it came
    stated     TEXT NOT NULL,            -- the same as it says it itself
    spec       INTEGER NOT NULL,         -- 20, 21
    oldest     INTEGER NOT NULL,         -- of the versions that are there, 1: the first
    newest     INTEGER NOT NULL,         -- 1: the last
    label      INTEGER NOT NULL REFERENCES label (id),
    personal   TEXT NOT NULL,            -- values that others get as pseudonyms, JSON; empty: none
    body       TEXT NOT NULL             -- JSON, as it came
);
-- this object; is this version of it there?
CREATE UNIQUE INDEX boxed_object ON boxed (collection, uuid, type, version);
-- everything, as it came
CREATE INDEX boxed_all ON boxed (collection, added);
-- the newest of each (what is asked for most), the oldest of each
CREATE INDEX boxed_newest ON boxed (collection, added) WHERE newest = 1;
CREATE INDEX boxed_oldest ON boxed (collection, added) WHERE oldest = 1;
-- of one type
CREATE INDEX boxed_type ON boxed (collection, type, added);
-- for those who may not see all of it; and which labels there are
CREATE INDEX boxed_label ON boxed (collection, label, added);

CREATE TABLE submission (               -- an envelope that was taken
    uuid       BLOB PRIMARY KEY,
    collection INTEGER NOT NULL,
    account    BLOB NOT NULL,
    requested  INTEGER NOT NULL,         -- Unix microseconds
    done       INTEGER NOT NULL,         -- 1: nothing of it waits
    report     BLOB NOT NULL,            -- zstd JSON
    envelope   BLOB                      -- zstd: what waits to be read; null: nothing
);
CREATE INDEX submission_requested ON submission (requested);
CREATE INDEX submission_waiting ON submission (collection, requested) WHERE done = 0;
