-- The mockserve cassette, version 2: answers for patterns, and the messages of conversations. README.md in this folder describes
-- every table and column.

CREATE TABLE stub (
    id                INTEGER PRIMARY KEY,
    pattern           TEXT NOT NULL,
    conditions        TEXT,
    status            INTEGER NOT NULL,
    reason            TEXT,
    response_fields   TEXT NOT NULL,
    response_body_id  INTEGER REFERENCES body (id),
    response_trailers TEXT,
    delay_ms          INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE message (
    interaction_id INTEGER NOT NULL REFERENCES interaction (id),
    number         INTEGER NOT NULL,
    sender         TEXT NOT NULL CHECK (sender IN ('client', 'server')),
    kind           TEXT NOT NULL,
    body_id        INTEGER REFERENCES body (id),
    offset_ms      INTEGER NOT NULL,
    PRIMARY KEY (interaction_id, number)
) STRICT, WITHOUT ROWID;
