-- Calls of unknown result are counted apart from those that Telegram has certainly not executed.
ALTER TABLE outbox ADD COLUMN unconfirmed INTEGER NOT NULL DEFAULT 0 CHECK (unconfirmed >= 0);
