-- Estimates of tokens, which turns no longer make for each message of the history. Of stored messages they stay NULL.
ALTER TABLE messages ADD COLUMN tokens INTEGER CHECK (tokens >= 0);
ALTER TABLE messages ADD COLUMN tokens_before INTEGER;
CREATE INDEX messages_parts ON messages (conversation_id, id) WHERE parts IS NOT NULL;
