-- Memory with consent, and the search in conversations.
ALTER TABLE facts ADD COLUMN owner INTEGER;
ALTER TABLE facts ADD COLUMN source TEXT NOT NULL DEFAULT 'person' CHECK (source IN ('person', 'model'));
ALTER TABLE facts ADD COLUMN message_id INTEGER;
CREATE INDEX facts_owner ON facts (owner, id) WHERE owner IS NOT NULL;

CREATE TABLE fact_proposals (
    id         INTEGER PRIMARY KEY,
    call_id    TEXT NOT NULL UNIQUE,
    turn_id    TEXT NOT NULL,
    lane       TEXT NOT NULL,
    owner      INTEGER,
    user_id    INTEGER NOT NULL,
    text       TEXT NOT NULL,
    message_id INTEGER,
    mark       INTEGER NOT NULL,
    state      TEXT NOT NULL DEFAULT 'new'
               CHECK (state IN ('new', 'open', 'kept', 'declined')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX fact_proposals_new ON fact_proposals (turn_id) WHERE state = 'new';
CREATE INDEX fact_proposals_lane ON fact_proposals (lane);
CREATE INDEX fact_proposals_user ON fact_proposals (user_id, created_at);
CREATE INDEX fact_proposals_created ON fact_proposals (created_at);

CREATE TABLE search_waiting (
    message_id INTEGER PRIMARY KEY
) STRICT;
CREATE TABLE search_removals (
    id         INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL,
    text       TEXT
) STRICT;
CREATE TRIGGER messages_search_new AFTER INSERT ON messages
BEGIN
    INSERT OR IGNORE INTO search_waiting (message_id) VALUES (new.id);
END;
CREATE TRIGGER messages_search_gone AFTER DELETE ON messages
BEGIN
    INSERT INTO search_removals (message_id, text)
    SELECT old.id, old.text WHERE NOT EXISTS (SELECT 1 FROM search_waiting WHERE message_id = old.id);
    DELETE FROM search_waiting WHERE message_id = old.id;
END;
INSERT INTO search_waiting (message_id) SELECT id FROM messages;
