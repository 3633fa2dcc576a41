-- The mockserve cassette, version 3: rules may be faults. README.md in this folder describes every table and column.

CREATE TABLE rule_with_faults (
    id          INTEGER PRIMARY KEY,
    action      TEXT NOT NULL CHECK (action IN ('ignore', 'require', 'map', 'play', 'redact', 'fault')),
    part        TEXT NOT NULL,
    pattern     TEXT NOT NULL DEFAULT '',
    replacement TEXT NOT NULL DEFAULT '',
    scope       TEXT NOT NULL DEFAULT '',
    UNIQUE (action, part, pattern, replacement, scope)
) STRICT;

INSERT INTO rule_with_faults (id, action, part, pattern, replacement, scope)
    SELECT id, action, part, pattern, replacement, scope FROM rule;

DROP TABLE rule;

ALTER TABLE rule_with_faults RENAME TO rule;
