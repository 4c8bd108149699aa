-- What is done beside the requests: exchanges with other servers, feeds. A job is a row until well after
-- its end, so that what became of it is read off, never guessed.

CREATE TABLE job (
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,              -- what is to be done: 'pull', 'push', 'event', 'fetch', 'cache'
    subject  INTEGER NOT NULL,           -- the entry that it is about; one job at a time is done of each
    key      TEXT NOT NULL,              -- what of it; the same that waits already is not asked twice
    actor    TEXT NOT NULL,              -- who asked; empty: the node itself
    org      BLOB,
    state    INTEGER NOT NULL,           -- 0 waits, 1 is being done, 2 done, 3 failed
    due      INTEGER NOT NULL,           -- Unix milliseconds: not before
    attempts INTEGER NOT NULL DEFAULT 0,
    holder   TEXT NOT NULL DEFAULT '',   -- which process does it, and until when it may be silent
    until    INTEGER NOT NULL DEFAULT 0,
    progress INTEGER NOT NULL DEFAULT 0, -- per cent
    message  TEXT NOT NULL DEFAULT '',
    report   TEXT NOT NULL DEFAULT '{}', -- JSON
    created  INTEGER NOT NULL,
    modified INTEGER NOT NULL
);
CREATE INDEX job_due ON job (state, due);
CREATE INDEX job_subject ON job (subject, kind, state);
CREATE INDEX job_modified ON job (modified);

CREATE TABLE feed_value (               -- what a feed holds, for "who else knows this value?"; not records
    hash    BLOB NOT NULL,               -- MD5 of the value as MISP's caches have it
    feed    INTEGER NOT NULL,            -- entry
    event   BLOB NOT NULL,               -- in which of its events; sixteen zeros: a list without events
    edition INTEGER NOT NULL,            -- caching replaces: rows of an older edition go
    PRIMARY KEY (hash, feed, event)
) WITHOUT ROWID;
CREATE INDEX feed_value_feed ON feed_value (feed, edition);
