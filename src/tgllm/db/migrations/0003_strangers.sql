-- Updates of people without access are handled in places of their own. Those that wait count as updates of others.
ALTER TABLE inbox ADD COLUMN stranger INTEGER NOT NULL DEFAULT 0 CHECK (stranger IN (0, 1));
ALTER TABLE inbox ADD COLUMN behind INTEGER NOT NULL DEFAULT 0 CHECK (behind IN (0, 1));
DROP INDEX inbox_control;
CREATE INDEX inbox_first ON inbox (stranger, update_id, lane)
    WHERE state = 'queued' AND control = 0 AND behind = 0;
CREATE INDEX inbox_senders ON inbox (lane, stranger, update_id) WHERE state = 'queued' AND control = 0;
CREATE INDEX inbox_control ON inbox (stranger, update_id) WHERE state = 'queued' AND control = 1;
CREATE TRIGGER inbox_next AFTER UPDATE OF state ON inbox
WHEN old.state = 'queued' AND new.state <> 'queued' AND old.control = 0
BEGIN
    UPDATE inbox SET behind = 0 WHERE update_id = (
        SELECT min(update_id) FROM inbox
        WHERE state = 'queued' AND control = 0 AND lane = old.lane AND stranger = old.stranger
    );
END;
