-- Messages that plugins have sent by themselves or with buttons. Outbox rows with the turn 'plugin:<id>' send them.
CREATE TABLE plugin_messages (
    id         INTEGER PRIMARY KEY,                     -- counts up from the time, so that no id is used again
    plugin_id  TEXT NOT NULL,                           -- the plugin
    key        TEXT,                                    -- the plugin's name of the message; NULL: none
    lane       TEXT NOT NULL,                           -- business connection, chat and topic in one name
    user_id    INTEGER,                                 -- for whom it is; NULL: for everybody in the chat
    priority   INTEGER NOT NULL                         -- of its outbox rows
               CHECK (priority BETWEEN 0 AND 3),
    parts      TEXT NOT NULL DEFAULT '[]'               -- JSON array: the messages of Telegram that show it
               CHECK (json_valid(parts) AND json_type(parts) = 'array'),
    next_part  INTEGER NOT NULL DEFAULT 0,              -- number of its next outbox row
    deleted    INTEGER NOT NULL DEFAULT 0               -- 1: the plugin has deleted it
               CHECK (deleted IN (0, 1)),
    created_at INTEGER NOT NULL                         -- when it was sent
) STRICT;
CREATE UNIQUE INDEX plugin_messages_key ON plugin_messages (plugin_id, key) WHERE key IS NOT NULL;
CREATE INDEX plugin_messages_created ON plugin_messages (created_at);
CREATE INDEX plugin_messages_lane ON plugin_messages (lane);

-- The present buttons of messages of plugins; what a press brings is the id of the row and a number.
CREATE TABLE plugin_keyboards (
    id         INTEGER PRIMARY KEY,                     -- counts up from the time, so that no id is used again
    message_id INTEGER NOT NULL UNIQUE                  -- the message
               REFERENCES plugin_messages (id) ON DELETE CASCADE,
    buttons    TEXT NOT NULL                            -- JSON array: [id, who may press it, data] of each button
               CHECK (json_valid(buttons) AND json_type(buttons) = 'array')
) STRICT;

-- Chats that the bot may not write to: people who have blocked it, and groups that it was removed from.
CREATE TABLE unreachable_chats (
    chat_id INTEGER PRIMARY KEY,                        -- Telegram's id of the chat
    since   INTEGER NOT NULL                            -- when that was noticed last
) STRICT;
