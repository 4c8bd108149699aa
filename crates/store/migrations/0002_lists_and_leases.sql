-- Lists are walked by when a record came, within a label, a kind or a tag, so that a page costs what
-- is on it; work that one process at a time does is leased; accounts get a second factor, and guesses
-- at passwords are slowed down.

DROP INDEX record_label;
DROP INDEX record_list;
DROP INDEX record_kind;
-- lists: newest first within a label
CREATE INDEX record_label ON record (label, received, id) WHERE state = 1;
-- lists for those who see everything
CREATE INDEX record_list ON record (received, id) WHERE state = 1;
-- of one kind
CREATE INDEX record_kind ON record (kind, received, id) WHERE state = 1;
CREATE INDEX record_kind_label ON record (kind, label, received, id) WHERE state = 1;

CREATE TABLE tagged (
    tag      INTEGER NOT NULL,
    label    INTEGER NOT NULL,
    received INTEGER NOT NULL,           -- its record's
    record   INTEGER NOT NULL,
    PRIMARY KEY (tag, label, received, record)
) WITHOUT ROWID;
INSERT INTO tagged (tag, label, received, record)
    SELECT t.tag, r.label, r.received, r.id FROM record_tag t JOIN record r ON r.id = t.record;
DROP TABLE record_tag;
ALTER TABLE tagged RENAME TO record_tag;
-- with a tag, for those who see everything
CREATE INDEX record_tag_all ON record_tag (tag, received, record);
CREATE INDEX record_tag_record ON record_tag (record);

CREATE TABLE lease (                    -- who does what only one may do
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until  INTEGER NOT NULL
);

ALTER TABLE account ADD COLUMN totp TEXT;                              -- sealed secret; null: none
ALTER TABLE account ADD COLUMN totp_used INTEGER NOT NULL DEFAULT 0;   -- last step that was used
ALTER TABLE session ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;           -- last use
CREATE TABLE attempt (                  -- failed log-ins
    name     TEXT PRIMARY KEY,           -- what was guessed at, hashed
    failures INTEGER NOT NULL,
    last     INTEGER NOT NULL
);

--- sqlite
-- Counts that were taken while tables were small mislead the engine when they are large.
DROP TABLE IF EXISTS sqlite_stat1;
--- both
