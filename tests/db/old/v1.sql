-- Schema of version 1, the first one.
CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    username      TEXT,
    first_name    TEXT NOT NULL DEFAULT '',
    last_name     TEXT,
    language_code TEXT,
    role          TEXT NOT NULL DEFAULT 'guest'
                  CHECK (role IN ('owner', 'admin', 'user', 'guest')),
    status        TEXT NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'active', 'denied', 'blocked')),
    is_active     INTEGER NOT NULL
                  GENERATED ALWAYS AS (status = 'active') VIRTUAL,
    requested_at  INTEGER,
    reason        TEXT,
    carded_at     INTEGER,
    decided_at    INTEGER,
    decided_by    INTEGER,
    expires_at    INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    CHECK (role <> 'owner' OR status = 'active')
) STRICT;
CREATE INDEX users_status ON users (status, requested_at);
CREATE INDEX users_carded ON users (carded_at) WHERE carded_at IS NOT NULL;
CREATE INDEX users_expires ON users (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE groups (
    id           INTEGER PRIMARY KEY
                 CHECK (id < 0),
    title        TEXT NOT NULL DEFAULT '',
    status       TEXT NOT NULL DEFAULT 'pending'
                 CHECK (status IN ('pending', 'active', 'denied')),
    requested_at INTEGER NOT NULL,
    requested_by INTEGER,
    carded_at    INTEGER,
    decided_at   INTEGER,
    decided_by   INTEGER,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX groups_status ON groups (status, requested_at);
CREATE INDEX groups_carded ON groups (carded_at) WHERE carded_at IS NOT NULL;
CREATE TABLE invites (
    id         INTEGER PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE
               CHECK (length(token_hash) = 64 AND token_hash NOT GLOB '*[^0-9a-f]*'),
    uses       INTEGER NOT NULL CHECK (uses >= 1),
    uses_left  INTEGER NOT NULL
               CHECK (uses_left BETWEEN 0 AND uses),
    expires_at INTEGER NOT NULL,
    created_by INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE conversations (
    id              INTEGER PRIMARY KEY,
    lane            TEXT NOT NULL,
    title           TEXT,
    provider        TEXT,
    model           TEXT,
    settings        TEXT NOT NULL DEFAULT '{}'
                    CHECK (json_valid(settings) AND json_type(settings) = 'object'),
    head_message_id INTEGER,
    active          INTEGER NOT NULL DEFAULT 1
                    CHECK (active IN (0, 1)),
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    CHECK ((provider IS NULL) = (model IS NULL)),
    FOREIGN KEY (id, head_message_id) REFERENCES messages (conversation_id, id)
) STRICT;
CREATE UNIQUE INDEX conversations_active ON conversations (lane) WHERE active = 1;
CREATE INDEX conversations_lane ON conversations (lane, updated_at);
CREATE INDEX conversations_head ON conversations (id, head_message_id);
CREATE TABLE messages (
    id                   INTEGER PRIMARY KEY,
    conversation_id      INTEGER NOT NULL
                         REFERENCES conversations (id) ON DELETE CASCADE,
    parent_id            INTEGER,
    turn_id              TEXT NOT NULL,
    role                 TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    text                 TEXT NOT NULL,
    parts                TEXT
                         CHECK (parts IS NULL OR (json_valid(parts) AND json_type(parts) = 'array')),
    provider             TEXT,
    model                TEXT,
    provider_data        TEXT
                         CHECK (provider_data IS NULL OR (json_valid(provider_data)
                                AND length(CAST(provider_data AS BLOB)) <= 262144)),
    status               TEXT NOT NULL DEFAULT 'complete'
                         CHECK (status IN ('complete', 'partial', 'stopped', 'failed')),
    telegram_chat_id     INTEGER,
    telegram_message_ids TEXT NOT NULL DEFAULT '[]'
                         CHECK (json_valid(telegram_message_ids) AND json_type(telegram_message_ids) = 'array'),
    user_id              INTEGER
                         REFERENCES users (id) ON DELETE SET NULL,
    created_at           INTEGER NOT NULL,
    CHECK (parent_id <> id),
    UNIQUE (conversation_id, id),
    FOREIGN KEY (conversation_id, parent_id) REFERENCES messages (conversation_id, id)
) STRICT;
CREATE INDEX messages_parent ON messages (conversation_id, parent_id);
CREATE INDEX messages_turn ON messages (turn_id);
CREATE INDEX messages_chat ON messages (telegram_chat_id, id) WHERE telegram_chat_id IS NOT NULL;
CREATE INDEX messages_user ON messages (user_id);
CREATE TABLE summaries (
    conversation_id INTEGER NOT NULL,
    message_id      INTEGER NOT NULL,
    text            TEXT NOT NULL,
    provider        TEXT NOT NULL,
    model           TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, message_id),
    FOREIGN KEY (conversation_id, message_id) REFERENCES messages (conversation_id, id) ON DELETE CASCADE
) STRICT;
CREATE TABLE facts (
    id         INTEGER PRIMARY KEY,
    lane       TEXT NOT NULL,
    user_id    INTEGER
               REFERENCES users (id) ON DELETE SET NULL,
    text       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX facts_lane ON facts (lane, id);
CREATE INDEX facts_user ON facts (user_id);
CREATE TABLE requests (
    id               INTEGER PRIMARY KEY,
    turn_id          TEXT NOT NULL,
    attempt          INTEGER NOT NULL DEFAULT 1
                     CHECK (attempt >= 1),
    conversation_id  INTEGER
                     REFERENCES conversations (id) ON DELETE SET NULL,
    message_id       INTEGER
                     REFERENCES messages (id) ON DELETE SET NULL,
    user_id          INTEGER
                     REFERENCES users (id) ON DELETE SET NULL,
    provider         TEXT NOT NULL,
    model            TEXT NOT NULL,
    status           TEXT NOT NULL
                     CHECK (status IN ('ok', 'stopped', 'failed', 'interrupted')),
    finish_reason    TEXT,
    input_tokens     INTEGER CHECK (input_tokens >= 0),
    output_tokens    INTEGER CHECK (output_tokens >= 0),
    reasoning_tokens INTEGER CHECK (reasoning_tokens >= 0),
    cached_tokens    INTEGER CHECK (cached_tokens >= 0),
    cost_micros      INTEGER CHECK (cost_micros >= 0),
    first_token_ms   INTEGER CHECK (first_token_ms >= 0),
    latency_ms       INTEGER CHECK (latency_ms >= 0),
    error_code       TEXT,
    error_text       TEXT,
    created_at       INTEGER NOT NULL,
    finished_at      INTEGER NOT NULL,
    UNIQUE (turn_id, attempt),
    CHECK (status IN ('failed', 'interrupted') OR error_code IS NULL)
) STRICT;
CREATE INDEX requests_conversation ON requests (conversation_id);
CREATE INDEX requests_message ON requests (message_id);
CREATE INDEX requests_user ON requests (user_id, created_at);
CREATE INDEX requests_failed ON requests (created_at) WHERE status IN ('failed', 'interrupted');
CREATE TABLE models (
    provider          TEXT NOT NULL,
    model             TEXT NOT NULL,
    title             TEXT NOT NULL,
    aliases           TEXT NOT NULL DEFAULT '[]'
                      CHECK (json_valid(aliases) AND json_type(aliases) = 'array'),
    context_window    INTEGER CHECK (context_window > 0),
    max_output_tokens INTEGER CHECK (max_output_tokens > 0),
    mime_types        TEXT NOT NULL DEFAULT '[]'
                      CHECK (json_valid(mime_types) AND json_type(mime_types) = 'array'),
    reasoning         INTEGER NOT NULL DEFAULT 0
                      CHECK (reasoning IN (0, 1)),
    input_price       INTEGER CHECK (input_price >= 0),
    output_price      INTEGER CHECK (output_price >= 0),
    cached_price      INTEGER CHECK (cached_price >= 0),
    price_as_of       TEXT,
    is_default        INTEGER NOT NULL DEFAULT 0
                      CHECK (is_default IN (0, 1)),
    first_seen_at     INTEGER NOT NULL,
    last_seen_at      INTEGER NOT NULL,
    retired_at        INTEGER,
    PRIMARY KEY (provider, model),
    CHECK (is_default = 0 OR retired_at IS NULL)
) STRICT;
CREATE UNIQUE INDEX models_default ON models (is_default) WHERE is_default = 1;
CREATE TABLE files (
    id            INTEGER PRIMARY KEY,
    request_id    INTEGER
                  REFERENCES requests (id) ON DELETE SET NULL,
    message_id    INTEGER
                  REFERENCES messages (id) ON DELETE SET NULL,
    user_id       INTEGER
                  REFERENCES users (id) ON DELETE SET NULL,
    path          TEXT NOT NULL,
    mime          TEXT NOT NULL,
    size          INTEGER NOT NULL CHECK (size >= 0),
    sha256        TEXT NOT NULL
                  CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    original_name TEXT,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX files_sha256 ON files (sha256);
CREATE INDEX files_request ON files (request_id);
CREATE INDEX files_message ON files (message_id);
CREATE INDEX files_user ON files (user_id);
CREATE TABLE inbox (
    update_id   INTEGER PRIMARY KEY,
    lane        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    control     INTEGER NOT NULL DEFAULT 0
                CHECK (control IN (0, 1)),
    payload     TEXT NOT NULL CHECK (json_valid(payload)),
    state       TEXT NOT NULL DEFAULT 'queued'
                CHECK (state IN ('queued', 'running', 'done', 'failed', 'quarantined', 'merged', 'expired')),
    leader_id   INTEGER
                REFERENCES inbox (update_id) ON DELETE CASCADE,
    attempts    INTEGER NOT NULL DEFAULT 0
                CHECK (attempts >= 0),
    received_at INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    error       TEXT,
    CHECK ((state = 'merged') = (leader_id IS NOT NULL)),
    CHECK (leader_id <> update_id),
    CHECK ((state IN ('queued', 'running')) = (finished_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX inbox_running ON inbox (lane) WHERE state = 'running' AND control = 0;
CREATE INDEX inbox_queued ON inbox (lane, update_id) WHERE state = 'queued' AND control = 0;
CREATE INDEX inbox_control ON inbox (update_id) WHERE state = 'queued' AND control = 1;
CREATE INDEX inbox_leader ON inbox (leader_id) WHERE leader_id IS NOT NULL;
CREATE INDEX inbox_finished ON inbox (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX inbox_failed ON inbox (finished_at) WHERE state IN ('failed', 'quarantined');
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    lane       TEXT NOT NULL,
    turn_id    TEXT,
    part       INTEGER NOT NULL DEFAULT 0
               CHECK (part >= 0),
    kind       TEXT NOT NULL
               CHECK (kind IN ('send', 'edit', 'delete', 'other')),
    method     TEXT NOT NULL,
    chat_id    INTEGER,
    thread_id  INTEGER,
    payload    TEXT NOT NULL
               CHECK (json_valid(payload) AND json_type(payload) = 'object'),
    state      TEXT NOT NULL DEFAULT 'ready'
               CHECK (state IN ('ready', 'sending', 'sent', 'uncertain', 'failed', 'dropped')),
    attempts   INTEGER NOT NULL DEFAULT 0
               CHECK (attempts >= 0),
    not_before INTEGER NOT NULL DEFAULT 0,
    message_id INTEGER,
    error      TEXT,
    created_at INTEGER NOT NULL,
    sent_at    INTEGER,
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX outbox_turn ON outbox (turn_id, part) WHERE turn_id IS NOT NULL;
CREATE UNIQUE INDEX outbox_sending ON outbox (lane) WHERE state = 'sending';
CREATE INDEX outbox_ready ON outbox (lane, id) WHERE state = 'ready';
CREATE INDEX outbox_uncertain ON outbox (id) WHERE state = 'uncertain';
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_failed ON outbox (created_at) WHERE state = 'failed';
CREATE INDEX outbox_dropped ON outbox (created_at) WHERE state = 'dropped';
CREATE TABLE usage (
    user_id           INTEGER NOT NULL,
    group_id          INTEGER NOT NULL DEFAULT 0,
    day               TEXT NOT NULL
                      CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    provider          TEXT NOT NULL,
    model             TEXT NOT NULL,
    requests          INTEGER NOT NULL DEFAULT 0 CHECK (requests >= 0),
    input_tokens      INTEGER NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),
    output_tokens     INTEGER NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
    cost_micros       INTEGER NOT NULL DEFAULT 0 CHECK (cost_micros >= 0),
    unpriced_requests INTEGER NOT NULL DEFAULT 0
                      CHECK (unpriced_requests BETWEEN 0 AND requests),
    PRIMARY KEY (user_id, day, group_id, provider, model)
) STRICT;
CREATE INDEX usage_day ON usage (day);
CREATE INDEX usage_group ON usage (group_id, day) WHERE group_id <> 0;
CREATE TABLE budgets (
    scope      TEXT NOT NULL,
    measure    TEXT NOT NULL
               CHECK (measure IN ('requests', 'tokens', 'cost')),
    period     TEXT NOT NULL
               CHECK (period IN ('day', 'month')),
    amount     INTEGER CHECK (amount > 0),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (scope, measure, period)
) STRICT, WITHOUT ROWID;
CREATE TABLE budget_periods (
    scope     TEXT NOT NULL,
    measure   TEXT NOT NULL
              CHECK (measure IN ('requests', 'tokens', 'cost')),
    period    TEXT NOT NULL
              CHECK (period IN ('day', 'month')),
    first_day TEXT NOT NULL
              CHECK (first_day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    extra     INTEGER NOT NULL DEFAULT 0
              CHECK (extra >= 0),
    forgiven  INTEGER NOT NULL DEFAULT 0
              CHECK (forgiven >= 0),
    told      INTEGER NOT NULL DEFAULT 0
              CHECK (told IN (0, 80, 100)),
    PRIMARY KEY (scope, measure, period, first_day)
) STRICT, WITHOUT ROWID;
CREATE TABLE broadcasts (
    id          INTEGER PRIMARY KEY,
    admin_id    INTEGER NOT NULL,
    text        TEXT NOT NULL,
    lane        TEXT NOT NULL,
    language    TEXT NOT NULL,
    state       TEXT NOT NULL DEFAULT 'preview'
                CHECK (state IN ('preview', 'running', 'stopping', 'stopped', 'done')),
    people      INTEGER NOT NULL DEFAULT 0
                CHECK (people >= 0),
    delivered   INTEGER NOT NULL DEFAULT 0
                CHECK (delivered >= 0),
    blocked     INTEGER NOT NULL DEFAULT 0
                CHECK (blocked >= 0),
    failed      INTEGER NOT NULL DEFAULT 0
                CHECK (failed >= 0),
    unconfirmed INTEGER NOT NULL DEFAULT 0
                CHECK (unconfirmed >= 0),
    left_out    INTEGER NOT NULL DEFAULT 0
                CHECK (left_out >= 0),
    progress_id INTEGER,
    expires_at  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER,
    CHECK ((state IN ('stopped', 'done')) = (finished_at IS NOT NULL))
) STRICT;
CREATE INDEX broadcasts_open ON broadcasts (id) WHERE state IN ('running', 'stopping');
CREATE TABLE broadcast_recipients (
    broadcast_id INTEGER NOT NULL
                 REFERENCES broadcasts (id) ON DELETE CASCADE,
    user_id      INTEGER NOT NULL,
    outbox_id    INTEGER,
    PRIMARY KEY (broadcast_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor_id INTEGER,
    source   TEXT NOT NULL,
    action   TEXT NOT NULL,
    target   TEXT,
    details  TEXT NOT NULL DEFAULT '{}'
             CHECK (json_valid(details) AND json_type(details) = 'object')
) STRICT;
CREATE INDEX audit_at ON audit (at);
CREATE TABLE schedules (
    job_id      TEXT NOT NULL,
    fire_time   INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    state       TEXT NOT NULL DEFAULT 'running'
                CHECK (state IN ('running', 'ok', 'failed', 'missed', 'interrupted')),
    error       TEXT,
    PRIMARY KEY (job_id, fire_time),
    CHECK ((state = 'running') = (finished_at IS NULL))
) STRICT;
CREATE TABLE kv (
    scope      TEXT NOT NULL,
    key        TEXT NOT NULL,
    value      TEXT NOT NULL CHECK (json_valid(value)),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = 1952935021;
PRAGMA user_version = 1;
