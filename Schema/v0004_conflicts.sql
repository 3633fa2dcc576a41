-- The mockserve cassette, version 4: conflicts that a merge has left, and rules on what changes with every recording. README.md in
-- this folder describes every table and column.

CREATE TABLE rule_with_volatile (
    id          INTEGER PRIMARY KEY,
    action      TEXT NOT NULL CHECK (action IN ('ignore', 'require', 'map', 'play', 'redact', 'fault', 'volatile')),
    part        TEXT NOT NULL,
    pattern     TEXT NOT NULL DEFAULT '',
    replacement TEXT NOT NULL DEFAULT '',
    scope       TEXT NOT NULL DEFAULT '',
    UNIQUE (action, part, pattern, replacement, scope)
) STRICT;

INSERT INTO rule_with_volatile (id, action, part, pattern, replacement, scope)
    SELECT id, action, part, pattern, replacement, scope FROM rule;

DROP TABLE rule;

ALTER TABLE rule_with_volatile RENAME TO rule;

CREATE TABLE conflict (
    id        INTEGER PRIMARY KEY,
    kind      TEXT NOT NULL CHECK (kind IN ('interaction', 'stub')),
    ours_id   INTEGER,
    theirs_id INTEGER
) STRICT;
