-- The mockserve cassette, version 1. README.md in this folder describes every table and column.

CREATE TABLE upstream (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE rule (
    id          INTEGER PRIMARY KEY,
    action      TEXT NOT NULL CHECK (action IN ('ignore', 'require', 'map', 'play', 'redact')),
    part        TEXT NOT NULL,
    pattern     TEXT NOT NULL DEFAULT '',
    replacement TEXT NOT NULL DEFAULT '',
    scope       TEXT NOT NULL DEFAULT '',
    UNIQUE (action, part, pattern, replacement, scope)
) STRICT;

CREATE TABLE placeholder (
    kind TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT;

CREATE TABLE episode (
    id         INTEGER PRIMARY KEY,
    mode       TEXT NOT NULL CHECK (mode IN ('once', 'missing', 'all', 'hand')),
    state      TEXT NOT NULL CHECK (state IN ('open', 'kept')),
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    owner_pid  INTEGER
) STRICT;

CREATE TABLE body (
    id         INTEGER PRIMARY KEY,
    sha256     BLOB UNIQUE,
    size       INTEGER NOT NULL,
    bytes      BLOB NOT NULL,
    episode_id INTEGER REFERENCES episode (id)
) STRICT;

CREATE TABLE body_slice (
    body_id INTEGER NOT NULL REFERENCES body (id),
    number  INTEGER NOT NULL,
    bytes   BLOB NOT NULL,
    PRIMARY KEY (body_id, number)
) STRICT;

CREATE TABLE interaction (
    id                INTEGER PRIMARY KEY,
    episode_id        INTEGER NOT NULL REFERENCES episode (id),
    origin            TEXT NOT NULL,
    method            TEXT NOT NULL,
    target            TEXT NOT NULL,
    request_version   TEXT NOT NULL,
    request_fields    TEXT NOT NULL,
    request_body_id   INTEGER REFERENCES body (id),
    request_trailers  TEXT,
    informational     TEXT,
    response_version  TEXT NOT NULL,
    status            INTEGER NOT NULL,
    reason            TEXT,
    response_fields   TEXT NOT NULL,
    response_body_id  INTEGER REFERENCES body (id),
    response_trailers TEXT,
    match_key         BLOB NOT NULL,
    vary              TEXT,
    vary_key          BLOB,
    recorded_at       INTEGER NOT NULL,
    first_byte_ms     INTEGER,
    chunks            TEXT,
    redacted          TEXT
) STRICT;

CREATE INDEX interaction_by_match_key ON interaction (match_key, id);

CREATE INDEX interaction_by_vary ON interaction (match_key, vary, vary_key, id) WHERE vary IS NOT NULL;

CREATE INDEX interaction_for_any_upstream ON interaction (id) WHERE origin = '';

CREATE INDEX interaction_by_target ON interaction (target, method);

CREATE INDEX interaction_write ON interaction (id) WHERE method NOT IN ('GET', 'HEAD', 'OPTIONS', 'TRACE');
