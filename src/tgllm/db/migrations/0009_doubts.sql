-- Calls that may have arrived are resolved by the ids of messages.
ALTER TABLE outbox ADD COLUMN claimed_at INTEGER;
ALTER TABLE outbox ADD COLUMN known_id INTEGER;
ALTER TABLE outbox ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0 CHECK (doubt IN (0, 1));
CREATE INDEX outbox_doubt ON outbox (chat_id) WHERE doubt = 1;
CREATE TABLE known_ids (
    sequence   INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    PRIMARY KEY (sequence, message_id)
) STRICT, WITHOUT ROWID;
