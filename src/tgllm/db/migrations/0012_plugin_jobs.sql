-- One-shot jobs of plugins, and the room that their values take.
CREATE TABLE plugin_jobs (
    id         INTEGER PRIMARY KEY,
    plugin_id  TEXT NOT NULL,
    kind       TEXT NOT NULL DEFAULT 'job' CHECK (kind IN ('job', 'forget', 'chat_moved')),
    owner      INTEGER NOT NULL DEFAULT 0,
    job_id     TEXT NOT NULL,
    mark       INTEGER NOT NULL,
    data       TEXT NOT NULL CHECK (json_valid(data)),
    due_at     INTEGER NOT NULL,
    run_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    started_at INTEGER,
    error      TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (plugin_id, kind, owner, job_id)
) STRICT;
CREATE INDEX plugin_jobs_next ON plugin_jobs (plugin_id, run_at) WHERE started_at IS NULL;
CREATE INDEX plugin_jobs_started ON plugin_jobs (started_at) WHERE started_at IS NOT NULL;
CREATE INDEX plugin_jobs_owner ON plugin_jobs (owner) WHERE owner <> 0;
CREATE TABLE plugin_room (
    plugin_id TEXT NOT NULL,
    owner     INTEGER NOT NULL DEFAULT 0,
    keys      INTEGER NOT NULL CHECK (keys >= 0),
    bytes     INTEGER NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (plugin_id, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX plugin_room_owner ON plugin_room (owner) WHERE owner <> 0;
INSERT INTO plugin_room (plugin_id, owner, keys, bytes)
    SELECT substr(scope, 8), 0, count(*), sum(length(CAST(key AS BLOB)) + length(value))
    FROM kv WHERE scope GLOB 'plugin:*' GROUP BY scope;
