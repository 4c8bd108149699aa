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
    giver      BLOB NOT NULL,            -- organisation: nobody's copy stands in the way of another's
    version    INTEGER NOT NULL,         -- Unix microseconds: its `modified`, else `created`, else when it came
    stated     TEXT NOT NULL,            -- the same as it says it itself
    spec       INTEGER NOT NULL,         -- 20, 21
    oldest     INTEGER NOT NULL,         -- of the giver's versions that are there, 1: the first
    newest     INTEGER NOT NULL,         -- 1: the last of them
    label      INTEGER NOT NULL REFERENCES label (id),
    personal   TEXT NOT NULL,            -- values that others get as pseudonyms, JSON; empty: none
    body       TEXT NOT NULL             -- JSON, as it came
);
-- this object; is there one that is newer; is this giver's copy of this version there?
CREATE UNIQUE INDEX boxed_object ON boxed (collection, uuid, type, version, giver);
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
CREATE INDEX submission_collection ON submission (collection);
CREATE INDEX submission_waiting ON submission (collection, requested) WHERE done = 0;

-- Collections that are saved searches: which records they hold, in the order in which these came or changed.

CREATE TABLE fresh (                    -- records that came or changed, and that no search has looked at yet
    seq    INTEGER PRIMARY KEY,          -- random: a number is never given twice
    record INTEGER NOT NULL
);

CREATE TABLE member (
    added      INTEGER PRIMARY KEY,      -- the first of its objects' times, by the clock above
    collection INTEGER NOT NULL,         -- entry
    record     INTEGER NOT NULL,
    span       INTEGER NOT NULL,         -- times that are its own: each of its objects has one
    label      INTEGER NOT NULL          -- the record's
);
CREATE UNIQUE INDEX member_record ON member (record, collection);
CREATE INDEX member_all ON member (collection, added);
-- for those who may not see all of it; and which labels there are
CREATE INDEX member_label ON member (collection, label, added);

CREATE TABLE member_object (            -- the objects that a record becomes
    collection INTEGER NOT NULL,
    id         BLOB NOT NULL,            -- of its identifier, 16 bytes of the SHA-256
    added      INTEGER NOT NULL,         -- the member's
    version    INTEGER NOT NULL,         -- Unix microseconds; 0: it has none
    PRIMARY KEY (collection, id, added)
);
CREATE INDEX member_object_member ON member_object (added);

-- tags of which their keepers say something: which of them are their own is asked for each export
CREATE INDEX tag_detail ON tag (name) WHERE detail <> '{}';
