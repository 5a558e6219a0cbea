-- Unexpected errors, one row for each kind, and where they occurred.
CREATE TABLE errors (
    id              TEXT PRIMARY KEY
                    CHECK (id GLOB '????-????'),
    event           TEXT NOT NULL,
    kind            TEXT NOT NULL,
    message         TEXT NOT NULL,
    place           TEXT NOT NULL,
    trace           TEXT NOT NULL
                    CHECK (json_valid(trace) AND json_type(trace) = 'array'),
    plugin          TEXT,
    version         TEXT NOT NULL,
    times           INTEGER NOT NULL CHECK (times >= 1),
    first_at        INTEGER NOT NULL,
    last_at         INTEGER NOT NULL,
    announced_at    INTEGER,
    announced_times INTEGER NOT NULL DEFAULT 0
                    CHECK (announced_times BETWEEN 0 AND times)
) STRICT;
CREATE INDEX errors_last ON errors (last_at);
CREATE INDEX errors_unannounced ON errors (announced_at) WHERE announced_times < times;

CREATE TABLE error_places (
    kind     TEXT NOT NULL
             CHECK (kind IN ('turn', 'update_id')),
    ref      TEXT NOT NULL,
    error_id TEXT NOT NULL
             REFERENCES errors (id) ON DELETE CASCADE,
    user_id  INTEGER,
    at       INTEGER NOT NULL,
    PRIMARY KEY (kind, ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX error_places_error ON error_places (error_id, at);
CREATE INDEX error_places_user ON error_places (user_id) WHERE user_id IS NOT NULL;
