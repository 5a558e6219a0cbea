-- Tools: calls of models, their results, rules and approvals.
ALTER TABLE models ADD COLUMN tools INTEGER CHECK (tools IN (0, 1));
CREATE TABLE tool_rounds (
    turn_id       TEXT NOT NULL,
    round         INTEGER NOT NULL CHECK (round >= 1),
    lane          TEXT NOT NULL,
    user_id       INTEGER,
    provider      TEXT NOT NULL,
    model         TEXT NOT NULL,
    text          TEXT NOT NULL DEFAULT '',
    reasoning     TEXT NOT NULL DEFAULT '',
    provider_data TEXT
                  CHECK (provider_data IS NULL OR (json_valid(provider_data) AND json_type(provider_data) = 'object')),
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (turn_id, round)
) STRICT;
CREATE INDEX tool_rounds_user ON tool_rounds (user_id);
CREATE TABLE tool_calls (
    id           INTEGER PRIMARY KEY,
    turn_id      TEXT NOT NULL,
    round        INTEGER NOT NULL CHECK (round >= 1),
    place        INTEGER NOT NULL CHECK (place >= 0),
    call_id      TEXT NOT NULL,
    tool         TEXT NOT NULL,
    plugin_id    TEXT,
    lane         TEXT NOT NULL,
    user_id      INTEGER,
    arguments    TEXT NOT NULL,
    state        TEXT NOT NULL DEFAULT 'asked'
                 CHECK (state IN ('asked', 'waiting', 'approved', 'running', 'done', 'failed', 'invalid', 'refused',
                                  'denied', 'expired', 'stopped', 'unknown')),
    approver     TEXT CHECK (approver IN ('asker', 'admins')),
    decided_by   INTEGER,
    decided_at   INTEGER,
    expires_at   INTEGER,
    card_id      INTEGER,
    mark         INTEGER NOT NULL DEFAULT 0,
    result       TEXT,
    extras       TEXT NOT NULL DEFAULT '{}'
                 CHECK (json_valid(extras) AND json_type(extras) = 'object'),
    error        TEXT,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    finished_at  INTEGER,
    UNIQUE (turn_id, round, place)
) STRICT;
CREATE INDEX tool_calls_user ON tool_calls (user_id, created_at);
CREATE INDEX tool_calls_created ON tool_calls (created_at);
CREATE INDEX tool_calls_lane ON tool_calls (lane);
CREATE INDEX tool_calls_waiting ON tool_calls (expires_at) WHERE state = 'waiting';
CREATE TABLE tool_rules (
    tool       TEXT NOT NULL,
    plugin_id  TEXT NOT NULL,
    private    TEXT
               CHECK (private IN ('owner', 'admin', 'user', 'guest', 'nobody')),
    groups     TEXT
               CHECK (groups IN ('owner', 'admin', 'user', 'guest', 'nobody')),
    per_day    INTEGER CHECK (per_day >= 0),
    approval   TEXT
               CHECK (approval IN ('never', 'asker', 'admins')),
    updated_by INTEGER,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tool, plugin_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE tool_grants (
    tool       TEXT NOT NULL,
    plugin_id  TEXT NOT NULL,
    user_id    INTEGER NOT NULL,
    lane       TEXT NOT NULL DEFAULT '',
    until      INTEGER,
    granted_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tool, plugin_id, user_id, lane)
) STRICT, WITHOUT ROWID;
CREATE INDEX tool_grants_user ON tool_grants (user_id);
CREATE TRIGGER tool_grants_lost AFTER UPDATE OF role, status ON users
WHEN new.role <> old.role OR new.status <> 'active'
BEGIN
    DELETE FROM tool_grants WHERE user_id = new.id;
END;
