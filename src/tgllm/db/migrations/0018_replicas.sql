-- Several processes on one PostgreSQL database.
ALTER TABLE inbox ADD COLUMN holder INTEGER;
ALTER TABLE outbox ADD COLUMN holder INTEGER;
CREATE TABLE replicas (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL
                CHECK (kind IN ('bot', 'shell')),
    state       TEXT NOT NULL DEFAULT 'ready'
                CHECK (state IN ('ready', 'draining')),
    started_at  INTEGER NOT NULL,
    alive_until INTEGER NOT NULL,
    commits     INTEGER NOT NULL DEFAULT 0
                CHECK (commits >= 0)
) STRICT;
CREATE INDEX replicas_overdue ON replicas (alive_until);
CREATE TABLE leases (
    name   TEXT PRIMARY KEY,
    holder INTEGER,
    fence  INTEGER NOT NULL DEFAULT 0
           CHECK (fence >= 0),
    until  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE turn_orders (
    id         INTEGER PRIMARY KEY,
    lane       TEXT NOT NULL,
    turn_id    TEXT NOT NULL,
    kind       TEXT NOT NULL
               CHECK (kind IN ('stop', 'outdate')),
    holder     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX turn_orders_holder ON turn_orders (holder, id);
CREATE TABLE budget_reservations (
    turn_id    TEXT NOT NULL,
    key        TEXT NOT NULL,
    holder     INTEGER NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount >= 0),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (turn_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_reservations_key ON budget_reservations (key);
CREATE INDEX budget_reservations_holder ON budget_reservations (holder);
CREATE TABLE question_times (
    id      INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL DEFAULT 'question'
            CHECK (kind IN ('question', 'warning'))
) STRICT;
CREATE INDEX question_times_user ON question_times (user_id, kind, at);
CREATE INDEX question_times_at ON question_times (at);
