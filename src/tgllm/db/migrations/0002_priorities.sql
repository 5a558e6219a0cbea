-- Rows of the outbox get a priority. Waiting cards of access requests get theirs; other rows count as answers.
ALTER TABLE outbox ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 3);
ALTER TABLE outbox ADD COLUMN behind INTEGER NOT NULL DEFAULT 0 CHECK (behind IN (0, 1));
UPDATE outbox SET priority = 2 WHERE state IN ('ready', 'sending', 'uncertain') AND turn_id GLOB 'access:*';
DROP INDEX outbox_sending;
DROP INDEX outbox_ready;
CREATE UNIQUE INDEX outbox_sending ON outbox (lane, priority >= 2) WHERE state = 'sending';
CREATE INDEX outbox_ready ON outbox (lane, priority, id) WHERE state = 'ready';
CREATE INDEX outbox_due ON outbox (priority, not_before, id, lane, chat_id) WHERE state = 'ready' AND behind = 0;
-- The next row of a stream becomes the first one.
CREATE TRIGGER outbox_next AFTER UPDATE OF state ON outbox WHEN old.state = 'ready' AND new.state <> 'ready'
BEGIN
    UPDATE outbox SET behind = 0 WHERE id = (
        SELECT id FROM outbox
        WHERE state = 'ready' AND lane = old.lane
            AND priority BETWEEN iif(old.priority >= 2, 2, 0) AND iif(old.priority >= 2, 3, 1)
        ORDER BY priority, id LIMIT 1
    );
END;
CREATE TRIGGER outbox_moved AFTER UPDATE OF lane ON outbox WHEN old.lane <> new.lane
BEGIN
    UPDATE outbox SET behind = 0 WHERE id = new.id;
END;
