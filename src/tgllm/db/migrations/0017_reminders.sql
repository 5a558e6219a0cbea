-- Reminders and scheduled prompts.
CREATE TABLE reminders (
    id         INTEGER PRIMARY KEY,
    user_id    INTEGER NOT NULL
               REFERENCES users (id) ON DELETE CASCADE,
    lane       TEXT NOT NULL,
    message_id INTEGER NOT NULL DEFAULT 0,
    kind       TEXT NOT NULL CHECK (kind IN ('text', 'prompt')),
    text       TEXT NOT NULL,
    days       INTEGER NOT NULL DEFAULT 0 CHECK (days BETWEEN 0 AND 127),
    minute     INTEGER CHECK (minute BETWEEN 0 AND 1439),
    due_at     INTEGER NOT NULL,
    paused     INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    created_at INTEGER NOT NULL,
    CHECK ((days = 0) = (minute IS NULL))
) STRICT;
CREATE INDEX reminders_due ON reminders (due_at) WHERE paused = 0;
CREATE INDEX reminders_user ON reminders (user_id, due_at);
CREATE INDEX reminders_lane ON reminders (lane, due_at);
