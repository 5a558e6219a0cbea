-- The complete schema of a new database. Running it again changes nothing.
--
-- All times are UTC, in whole milliseconds since 1970, passed in by the program; days are 'YYYY-MM-DD' in
-- the bot's time zone.
-- Amounts of money are millionths of a US dollar. JSON columns contain valid JSON text. Booleans are 1 and 0.
-- Rules that a constraint or a partial index can enforce are defined here and not in the code.

-- People who have written to the bot or are named in the settings.
CREATE TABLE IF NOT EXISTS users (
    id            INTEGER PRIMARY KEY,                  -- Telegram's user id
    username      TEXT,                                 -- without the @; people change it
    first_name    TEXT NOT NULL DEFAULT '',             -- as Telegram shows it
    last_name     TEXT,                                 -- as Telegram shows it
    language_code TEXT,                                 -- IETF tag of the person's Telegram app, such as 'en'
    role          TEXT NOT NULL DEFAULT 'guest'         -- what the person may do once active
                  CHECK (role IN ('owner', 'admin', 'user', 'guest')),
    status        TEXT NOT NULL DEFAULT 'pending'       -- whether the person may use the bot
                  CHECK (status IN ('pending', 'active', 'denied', 'blocked')),
    is_active     INTEGER NOT NULL                      -- 1 while the status is 'active'
                  GENERATED ALWAYS AS (status = 'active') VIRTUAL,
    requested_at  INTEGER,                              -- when the person asked for access
    reason        TEXT,                                 -- text of the access request; NULL once it is decided
    carded_at     INTEGER,                              -- when the admins were shown the request; NULL: not yet
    decided_at    INTEGER,                              -- when the status was last decided
    decided_by    INTEGER,                              -- user id of the admin who decided; NULL: the configuration
    expires_at    INTEGER,                              -- when access ends; NULL: never
    created_at    INTEGER NOT NULL,                     -- first seen
    updated_at    INTEGER NOT NULL,                     -- last change of this row
    CHECK (role <> 'owner' OR status = 'active')
) STRICT;
CREATE INDEX IF NOT EXISTS users_status ON users (status, requested_at);
CREATE INDEX IF NOT EXISTS users_carded ON users (carded_at) WHERE carded_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS users_expires ON users (expires_at) WHERE expires_at IS NOT NULL;

-- Groups that were requested or approved.
CREATE TABLE IF NOT EXISTS groups (
    id           INTEGER PRIMARY KEY                    -- Telegram's chat id, which is negative
                 CHECK (id < 0),
    title        TEXT NOT NULL DEFAULT '',              -- as Telegram shows it
    status       TEXT NOT NULL DEFAULT 'pending'        -- 'active': every member may use the bot
                 CHECK (status IN ('pending', 'active', 'denied')),
    requested_at INTEGER NOT NULL,                      -- when access was requested
    requested_by INTEGER,                               -- user id of the person who requested it
    carded_at    INTEGER,                               -- when the admins were shown the request; NULL: not yet
    decided_at   INTEGER,                               -- when the status was last decided
    decided_by   INTEGER,                               -- user id of the admin who decided; NULL: the shell
    updated_at   INTEGER NOT NULL                       -- last change of this row
) STRICT;
CREATE INDEX IF NOT EXISTS groups_status ON groups (status, requested_at);
CREATE INDEX IF NOT EXISTS groups_carded ON groups (carded_at) WHERE carded_at IS NOT NULL;

-- Invite links, which approve people without a decision on each. The token itself is not stored.
CREATE TABLE IF NOT EXISTS invites (
    id         INTEGER PRIMARY KEY,                     -- counts up
    token_hash TEXT NOT NULL UNIQUE                     -- SHA-256 of the link's token, in lower-case hex
               CHECK (length(token_hash) = 64 AND token_hash NOT GLOB '*[^0-9a-f]*'),
    uses       INTEGER NOT NULL CHECK (uses >= 1),      -- how many people can use it
    uses_left  INTEGER NOT NULL                         -- how many more can
               CHECK (uses_left BETWEEN 0 AND uses),
    expires_at INTEGER NOT NULL,                        -- when it stops working
    created_by INTEGER,                                 -- user id of the admin who created it; NULL: the shell
    created_at INTEGER NOT NULL                         -- when it was created
) STRICT;

-- Conversations with a model. A lane is a chat or a topic; it has at most one active conversation.
CREATE TABLE IF NOT EXISTS conversations (
    id              INTEGER PRIMARY KEY,                -- counts up
    lane            TEXT NOT NULL,                      -- business connection, chat and topic in one name
    title           TEXT,                               -- as lists show it
    provider        TEXT,                               -- the chosen model's provider; NULL: the default model
    model           TEXT,                               -- the chosen model; NULL: the default model
    settings        TEXT NOT NULL DEFAULT '{}'          -- JSON object: the chat's own settings
                    CHECK (json_valid(settings) AND json_type(settings) = 'object'),
    head_message_id INTEGER,                            -- last message of the current branch; NULL: empty
    active          INTEGER NOT NULL DEFAULT 1          -- 1 for the lane's current conversation
                    CHECK (active IN (0, 1)),
    created_at      INTEGER NOT NULL,                   -- when it started
    updated_at      INTEGER NOT NULL,                   -- last change of this row
    CHECK ((provider IS NULL) = (model IS NULL)),
    FOREIGN KEY (id, head_message_id) REFERENCES messages (conversation_id, id)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS conversations_active ON conversations (lane) WHERE active = 1;
CREATE INDEX IF NOT EXISTS conversations_lane ON conversations (lane, updated_at);
CREATE INDEX IF NOT EXISTS conversations_head ON conversations (id, head_message_id);

-- Questions and answers: parent_id makes them a tree; edits, retries, undos and forks start new branches.
CREATE TABLE IF NOT EXISTS messages (
    id                   INTEGER PRIMARY KEY,           -- counts up
    conversation_id      INTEGER NOT NULL               -- the conversation it belongs to
                         REFERENCES conversations (id) ON DELETE CASCADE,
    parent_id            INTEGER,                       -- the previous message of the same conversation
    turn_id              TEXT NOT NULL,                 -- the turn it belongs to
    role                 TEXT NOT NULL CHECK (role IN ('user', 'assistant')), -- author: the user or the model
    text                 TEXT NOT NULL,                 -- as sent to or received from the model
    parts                TEXT                           -- JSON array: names of its attachments; NULL: it has none
                         CHECK (parts IS NULL OR (json_valid(parts) AND json_type(parts) = 'array')),
    provider             TEXT,                          -- provider of an answer; NULL for a question
    model                TEXT,                          -- the model that answered
    provider_data        TEXT                           -- JSON object, at most 256 KiB, returned to the same model
                         CHECK (provider_data IS NULL OR (json_valid(provider_data)
                                AND length(CAST(provider_data AS BLOB)) <= 262144)),
    status               TEXT NOT NULL DEFAULT 'complete' -- whether it is complete, and if not, why
                         CHECK (status IN ('complete', 'partial', 'stopped', 'failed')),
    telegram_chat_id     INTEGER,                       -- the chat it is in; NULL: not in Telegram
    telegram_message_ids TEXT NOT NULL DEFAULT '[]'     -- JSON array: Telegram's ids of the messages that show it
                         CHECK (json_valid(telegram_message_ids) AND json_type(telegram_message_ids) = 'array'),
    user_id              INTEGER                        -- who wrote it or asked for it
                         REFERENCES users (id) ON DELETE SET NULL,
    created_at           INTEGER NOT NULL,              -- when it was stored
    tokens               INTEGER CHECK (tokens >= 0),   -- estimate for the text, not calibrated; NULL: not estimated
    tokens_before        INTEGER,                       -- sum of the estimates before it on its branch; NULL: unknown
    CHECK (parent_id <> id),
    UNIQUE (conversation_id, id),
    FOREIGN KEY (conversation_id, parent_id) REFERENCES messages (conversation_id, id)
) STRICT;
CREATE INDEX IF NOT EXISTS messages_parent ON messages (conversation_id, parent_id);
CREATE INDEX IF NOT EXISTS messages_turn ON messages (turn_id);
CREATE INDEX IF NOT EXISTS messages_chat ON messages (telegram_chat_id, id) WHERE telegram_chat_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_user ON messages (user_id);
CREATE INDEX IF NOT EXISTS messages_parts ON messages (conversation_id, id) WHERE parts IS NOT NULL;

-- Summaries of conversations up to a message, for models that don't get the full history.
CREATE TABLE IF NOT EXISTS summaries (
    conversation_id INTEGER NOT NULL,                   -- the conversation
    message_id      INTEGER NOT NULL,                   -- the last message that it covers
    text            TEXT NOT NULL,                      -- as a model wrote it
    provider        TEXT NOT NULL,                      -- provider of the model that wrote it
    model           TEXT NOT NULL,                      -- the model that wrote it
    created_at      INTEGER NOT NULL,                   -- when it was written
    PRIMARY KEY (conversation_id, message_id),
    FOREIGN KEY (conversation_id, message_id) REFERENCES messages (conversation_id, id) ON DELETE CASCADE
) STRICT;

-- Facts that people have pinned, or that a model has proposed and the person has kept; sent to the model with each question.
CREATE TABLE IF NOT EXISTS facts (
    id         INTEGER PRIMARY KEY,                     -- counts up
    lane       TEXT NOT NULL,                           -- business connection, chat and topic in one name
    user_id    INTEGER                                  -- who added it
               REFERENCES users (id) ON DELETE SET NULL,
    text       TEXT NOT NULL,                           -- as sent to the model
    created_at INTEGER NOT NULL,                        -- when it was added
    owner      INTEGER,                                 -- Telegram id of the person in all of whose private chat, or of the
                                                        -- group in all of which it counts; NULL: only in its lane
    source     TEXT NOT NULL DEFAULT 'person'           -- whose words it is in
               CHECK (source IN ('person', 'model')),
    message_id INTEGER                                  -- Telegram's id of the message that it comes from; NULL: unknown
) STRICT;
CREATE INDEX IF NOT EXISTS facts_lane ON facts (lane, id);
CREATE INDEX IF NOT EXISTS facts_user ON facts (user_id);
CREATE INDEX IF NOT EXISTS facts_owner ON facts (owner, id) WHERE owner IS NOT NULL;

-- Facts that a model has proposed to remember. Only the press of the person makes a row of facts of one.
CREATE TABLE IF NOT EXISTS fact_proposals (
    id         INTEGER PRIMARY KEY,                     -- counts up
    call_id    TEXT NOT NULL UNIQUE,                    -- the call of the tool: a repeated one adds no row
    turn_id    TEXT NOT NULL,                           -- the turn of the call
    lane       TEXT NOT NULL,                           -- business connection, chat and topic in one name
    owner      INTEGER,                                 -- as in facts
    user_id    INTEGER NOT NULL,                        -- who is asked
    text       TEXT NOT NULL,                           -- the fact, as shown
    message_id INTEGER,                                 -- Telegram's id of the question; NULL: unknown
    mark       INTEGER NOT NULL,                        -- random: part of the data of the buttons
    state      TEXT NOT NULL DEFAULT 'new'              -- 'new': it is asked with the answer; 'open': the person decides
               CHECK (state IN ('new', 'open', 'kept', 'declined')),
    created_at INTEGER NOT NULL,                        -- when the model proposed it
    expires_at INTEGER NOT NULL                         -- when the buttons stop working
) STRICT;
CREATE INDEX IF NOT EXISTS fact_proposals_new ON fact_proposals (turn_id) WHERE state = 'new';
CREATE INDEX IF NOT EXISTS fact_proposals_lane ON fact_proposals (lane);
CREATE INDEX IF NOT EXISTS fact_proposals_user ON fact_proposals (user_id, created_at);
CREATE INDEX IF NOT EXISTS fact_proposals_created ON fact_proposals (created_at);

-- Messages that are not in the index of the search yet; see db/full_text.sql.
CREATE TABLE IF NOT EXISTS search_waiting (
    message_id INTEGER PRIMARY KEY                      -- the message
) STRICT;

-- Deleted messages whose words are still in the index of the search.
CREATE TABLE IF NOT EXISTS search_removals (
    id         INTEGER PRIMARY KEY,                     -- counts up
    message_id INTEGER NOT NULL,                        -- the message, whose id another one may have now
    text       TEXT                                     -- its text; NULL: taken out, but older segments still have words
) STRICT;
CREATE TRIGGER IF NOT EXISTS messages_search_new AFTER INSERT ON messages
BEGIN
    INSERT OR IGNORE INTO search_waiting (message_id) VALUES (new.id);
END;
CREATE TRIGGER IF NOT EXISTS messages_search_gone AFTER DELETE ON messages
BEGIN
    INSERT INTO search_removals (message_id, text)
    SELECT old.id, old.text WHERE NOT EXISTS (SELECT 1 FROM search_waiting WHERE message_id = old.id);
    DELETE FROM search_waiting WHERE message_id = old.id;
END;

-- Calls of models: tokens, cost, duration and result.
CREATE TABLE IF NOT EXISTS requests (
    id               INTEGER PRIMARY KEY,               -- counts up
    turn_id          TEXT NOT NULL,                     -- the turn it belongs to
    attempt          INTEGER NOT NULL DEFAULT 1         -- 1 for the first call of the turn
                     CHECK (attempt >= 1),
    conversation_id  INTEGER                            -- the conversation it belongs to
                     REFERENCES conversations (id) ON DELETE SET NULL,
    message_id       INTEGER                            -- the answer
                     REFERENCES messages (id) ON DELETE SET NULL,
    user_id          INTEGER                            -- who asked
                     REFERENCES users (id) ON DELETE SET NULL,
    provider         TEXT NOT NULL,                     -- the provider called
    model            TEXT NOT NULL,                     -- the model called
    status           TEXT NOT NULL                      -- 'interrupted': the process ended during the call
                     CHECK (status IN ('ok', 'stopped', 'failed', 'interrupted')),
    finish_reason    TEXT,                              -- why the answer ended, as in the plugin API
    input_tokens     INTEGER CHECK (input_tokens >= 0),     -- input tokens, cached ones included; NULL: unknown
    output_tokens    INTEGER CHECK (output_tokens >= 0),    -- output tokens, reasoning included; NULL: unknown
    reasoning_tokens INTEGER CHECK (reasoning_tokens >= 0), -- the part of output_tokens spent on reasoning
    cached_tokens    INTEGER CHECK (cached_tokens >= 0),    -- the part of input_tokens from the provider's cache
    cost_micros      INTEGER CHECK (cost_micros >= 0),      -- millionths of a US dollar; NULL: price unknown
    first_token_ms   INTEGER CHECK (first_token_ms >= 0),   -- milliseconds until the first piece of text
    latency_ms       INTEGER CHECK (latency_ms >= 0),       -- milliseconds until the end
    error_code       TEXT,                              -- code of the error that ended it
    error_text       TEXT,                              -- error message, for logs; contains no key
    created_at       INTEGER NOT NULL,                  -- when it started
    finished_at      INTEGER NOT NULL,                  -- when it ended
    cache_write_tokens INTEGER                          -- the part of input_tokens written to the provider's cache
                     CHECK (cache_write_tokens >= 0),
    UNIQUE (turn_id, attempt),
    CHECK (status IN ('failed', 'interrupted') OR error_code IS NULL)
) STRICT;
CREATE INDEX IF NOT EXISTS requests_conversation ON requests (conversation_id);
CREATE INDEX IF NOT EXISTS requests_message ON requests (message_id);
CREATE INDEX IF NOT EXISTS requests_user ON requests (user_id, created_at);
CREATE INDEX IF NOT EXISTS requests_failed ON requests (created_at) WHERE status IN ('failed', 'interrupted');

-- The models that providers offer, as of the last refresh.
CREATE TABLE IF NOT EXISTS models (
    provider          TEXT NOT NULL,                    -- the provider's id
    model             TEXT NOT NULL,                    -- the model's id at that provider
    title             TEXT NOT NULL,                    -- as lists show it
    aliases           TEXT NOT NULL DEFAULT '[]'        -- JSON array: other ids of the same model
                      CHECK (json_valid(aliases) AND json_type(aliases) = 'array'),
    context_window    INTEGER CHECK (context_window > 0),    -- input and output tokens together; NULL: unknown
    max_output_tokens INTEGER CHECK (max_output_tokens > 0), -- maximum tokens of one answer; NULL: unknown
    mime_types        TEXT NOT NULL DEFAULT '[]'        -- JSON array: MIME types it accepts, such as 'image/*'
                      CHECK (json_valid(mime_types) AND json_type(mime_types) = 'array'),
    reasoning         INTEGER NOT NULL DEFAULT 0        -- 1: it can reason before it answers
                      CHECK (reasoning IN (0, 1)),
    input_price       INTEGER CHECK (input_price >= 0),  -- millionths of a US dollar per million input tokens
    output_price      INTEGER CHECK (output_price >= 0), -- the same for output tokens
    cached_price      INTEGER CHECK (cached_price >= 0), -- the same for cached input tokens
    price_as_of       TEXT,                             -- day on which the prices were valid
    is_default        INTEGER NOT NULL DEFAULT 0        -- 1: default model
                      CHECK (is_default IN (0, 1)),
    first_seen_at     INTEGER NOT NULL,                 -- first time the provider listed it
    last_seen_at      INTEGER NOT NULL,                 -- last time the provider listed it
    retired_at        INTEGER,                          -- when the provider stopped listing it
    cache_write_price INTEGER                           -- the same for input tokens written to the cache
                      CHECK (cache_write_price >= 0),
    tools             INTEGER                           -- 1: it can call tools; NULL: as its provider says
                      CHECK (tools IN (0, 1)),
    PRIMARY KEY (provider, model),
    CHECK (is_default = 0 OR retired_at IS NULL)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS models_default ON models (is_default) WHERE is_default = 1;

-- Attachments. Attachments with the same content share one file on disk.
CREATE TABLE IF NOT EXISTS files (
    id            INTEGER PRIMARY KEY,                  -- counts up
    request_id    INTEGER                               -- the first model call that included it
                  REFERENCES requests (id) ON DELETE SET NULL,
    message_id    INTEGER                               -- the message it was attached to
                  REFERENCES messages (id) ON DELETE SET NULL,
    user_id       INTEGER                               -- who sent it
                  REFERENCES users (id) ON DELETE SET NULL,
    path          TEXT NOT NULL,                        -- of the blob, relative to the data folder
    mime          TEXT NOT NULL,                        -- MIME type, such as 'application/pdf'
    size          INTEGER NOT NULL CHECK (size >= 0),   -- bytes
    sha256        TEXT NOT NULL                         -- of the content, in lower-case hex
                  CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    original_name TEXT,                                 -- file name from the sender; never used as a path
    created_at    INTEGER NOT NULL,                     -- when it was received
    turn_id       TEXT,                                 -- the turn in which it was received
    position      INTEGER NOT NULL DEFAULT 0            -- place among the attachments of the turn
                  CHECK (position >= 0),
    kind          TEXT NOT NULL DEFAULT 'document',     -- how it was sent, such as 'photo' or 'voice'
    key           TEXT,                                 -- Telegram's id of the content (file_unique_id)
    seconds       REAL                                  -- duration of a recording or video, as claimed
) STRICT;
CREATE INDEX IF NOT EXISTS files_sha256 ON files (sha256);
CREATE INDEX IF NOT EXISTS files_request ON files (request_id);
CREATE INDEX IF NOT EXISTS files_message ON files (message_id);
CREATE INDEX IF NOT EXISTS files_user ON files (user_id);
CREATE INDEX IF NOT EXISTS files_turn ON files (turn_id) WHERE turn_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS files_key ON files (key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS files_unlinked ON files (created_at) WHERE message_id IS NULL;

-- What was read of a content, or why it can't be read. It is deleted with the last attachment of that content.
CREATE TABLE IF NOT EXISTS file_texts (
    sha256       TEXT NOT NULL,                         -- of the content, as in files
    reader       TEXT NOT NULL,                         -- what has read it: id of a file handler, or 'transcriber:...'
    text         TEXT NOT NULL,                         -- empty if it can't be read
    chars        INTEGER NOT NULL CHECK (chars >= 0),   -- length of the text
    pages        INTEGER CHECK (pages >= 0),            -- pages, slides or sheets; NULL: it has none
    truncated    INTEGER NOT NULL DEFAULT 0             -- 1: the file contains more text
                 CHECK (truncated IN (0, 1)),
    without_text INTEGER NOT NULL DEFAULT 0             -- pages without text, such as scanned ones
                 CHECK (without_text >= 0),
    encoding     TEXT NOT NULL DEFAULT '',              -- guessed encoding of a text; empty if it is certain
    language     TEXT,                                  -- language of a transcript; NULL: unknown
    pictures     TEXT                                   -- JSON array: pictures of pages; NULL: none were made
                 CHECK (pictures IS NULL OR (json_valid(pictures) AND json_type(pictures) = 'array')),
    error        TEXT,                                  -- code of the error if it can't be read
    created_at   INTEGER NOT NULL,                      -- when it was read
    PRIMARY KEY (sha256, reader)
) STRICT;
CREATE TRIGGER IF NOT EXISTS files_gone AFTER DELETE ON files
WHEN NOT EXISTS (SELECT 1 FROM files WHERE sha256 = old.sha256)
BEGIN
    DELETE FROM file_texts WHERE sha256 = old.sha256;
END;

-- Texts of files, cut into passages; files with the same content share them.
CREATE TABLE IF NOT EXISTS documents (
    id       INTEGER PRIMARY KEY,                       -- counts up
    sha256   TEXT NOT NULL UNIQUE                       -- of the file's content, in lower-case hex
             CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    passages INTEGER NOT NULL CHECK (passages >= 0),    -- number of passages
    stored   INTEGER NOT NULL DEFAULT 0                 -- passages stored so far; fewer: not complete yet
             CHECK (stored BETWEEN 0 AND passages),
    chars    INTEGER NOT NULL CHECK (chars >= 0),       -- characters of the text
    indexed  INTEGER NOT NULL                           -- 1: in the full-text indexes, see full_text.sql
             CHECK (indexed IN (0, 1))
) STRICT;

-- Passages of the texts, in order: their texts joined are the whole text.
CREATE TABLE IF NOT EXISTS passages (
    id        INTEGER PRIMARY KEY,                      -- document id * 1048576 + number of the passage, from 0
    part_from TEXT NOT NULL,                            -- part of the file it begins in, such as 'page 3'; '': none
    part_to   TEXT NOT NULL,                            -- part of the file it ends in
    heading   TEXT NOT NULL,                            -- headings that it stands under, outermost first
    headings  TEXT NOT NULL,                            -- headings in it, one a line
    line_from INTEGER NOT NULL,                         -- number of its first line, from 1
    line_to   INTEGER NOT NULL,                         -- number of its last line
    row_from  INTEGER NOT NULL,                         -- first row of a table in it; the header is 1; 0: no table
    row_to    INTEGER NOT NULL,                         -- last row of a table in it
    tokens    INTEGER NOT NULL CHECK (tokens >= 0),     -- estimate for the text, not calibrated
    opening   TEXT NOT NULL,                            -- shown before it if the passage before isn't: table header, fence
    closing   TEXT NOT NULL,                            -- shown after it if the next one isn't: end of a fence
    text      TEXT NOT NULL                             -- exact part of the document's text
) STRICT;

-- Updates from Telegram and their state. An update is confirmed to Telegram only after it is stored here.
CREATE TABLE IF NOT EXISTS inbox (
    update_id   INTEGER PRIMARY KEY,                    -- Telegram's update id: the same update twice is one row
    lane        TEXT NOT NULL,                          -- updates of one lane are handled in order
    kind        TEXT NOT NULL,                          -- type of update, such as 'message'
    control     INTEGER NOT NULL DEFAULT 0              -- 1: does not wait for its lane (stop, button presses)
                CHECK (control IN (0, 1)),
    payload     TEXT NOT NULL CHECK (json_valid(payload)), -- JSON: the update as received, or as edited since
    state       TEXT NOT NULL DEFAULT 'queued'          -- state of processing
                CHECK (state IN ('queued', 'running', 'done', 'failed', 'quarantined', 'merged', 'expired')),
    leader_id   INTEGER                                 -- the update whose turn this one is part of
                REFERENCES inbox (update_id) ON DELETE CASCADE,
    attempts    INTEGER NOT NULL DEFAULT 0              -- how often it was started
                CHECK (attempts >= 0),
    received_at INTEGER NOT NULL,                       -- when it was received
    started_at  INTEGER,                                -- when it was last started
    finished_at INTEGER,                                -- when its state became final
    error       TEXT,                                   -- error message, for logs; contains no key
    stranger    INTEGER NOT NULL DEFAULT 0              -- 1: its sender had no access when it was received
                CHECK (stranger IN (0, 1)),
    behind      INTEGER NOT NULL DEFAULT 0              -- 1: was added behind another one with the same lane and
                CHECK (behind IN (0, 1)),               -- kind of sender, which still waits; 0 may be outdated
    asked       INTEGER NOT NULL DEFAULT 0              -- 1: the latest start has called a model
                CHECK (asked IN (0, 1)),
    crashes     INTEGER NOT NULL DEFAULT 0              -- crashes of the program while it ran
                CHECK (crashes >= 0),
    strikes     INTEGER NOT NULL DEFAULT 0              -- crashes that count against it: it ran alone
                CHECK (strikes BETWEEN 0 AND crashes),
    holder      INTEGER,                                -- the replica that runs it; NULL: the only process
    CHECK ((state = 'merged') = (leader_id IS NOT NULL)),
    CHECK (leader_id <> update_id),
    CHECK ((state IN ('queued', 'running')) = (finished_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS inbox_running ON inbox (lane) WHERE state = 'running' AND control = 0;
CREATE INDEX IF NOT EXISTS inbox_queued ON inbox (lane, update_id) WHERE state = 'queued' AND control = 0;
CREATE INDEX IF NOT EXISTS inbox_first ON inbox (stranger, update_id, lane)
    WHERE state = 'queued' AND control = 0 AND behind = 0;
CREATE INDEX IF NOT EXISTS inbox_senders ON inbox (lane, stranger, update_id) WHERE state = 'queued' AND control = 0;
CREATE INDEX IF NOT EXISTS inbox_control ON inbox (stranger, update_id) WHERE state = 'queued' AND control = 1;
CREATE INDEX IF NOT EXISTS inbox_suspect ON inbox (update_id) WHERE state = 'queued' AND control = 0 AND crashes > 1;
CREATE INDEX IF NOT EXISTS inbox_leader ON inbox (leader_id) WHERE leader_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS inbox_finished ON inbox (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS inbox_failed ON inbox (finished_at) WHERE state IN ('failed', 'quarantined');
-- The next update of a lane from the same kind of sender becomes the first one.
CREATE TRIGGER IF NOT EXISTS inbox_next AFTER UPDATE OF state ON inbox
WHEN old.state = 'queued' AND new.state <> 'queued' AND old.control = 0
BEGIN
    UPDATE inbox SET behind = 0 WHERE update_id = (
        SELECT min(update_id) FROM inbox
        WHERE state = 'queued' AND control = 0 AND lane = old.lane AND stranger = old.stranger
    );
END;

-- Outgoing Bot API calls and their state.
CREATE TABLE IF NOT EXISTS outbox (
    id         INTEGER PRIMARY KEY,                     -- counts up; rows of a stream are sent in this order
    lane       TEXT NOT NULL,                           -- has two streams, whose rows are sent one at a time
    turn_id    TEXT,                                    -- the turn it comes from; NULL: none
    part       INTEGER NOT NULL DEFAULT 0               -- position among the rows of the turn
               CHECK (part >= 0),
    kind       TEXT NOT NULL                            -- 'send' creates a message, so a repetition would be visible
               CHECK (kind IN ('send', 'edit', 'delete', 'other')),
    method     TEXT NOT NULL,                           -- method of the Bot API, such as 'sendMessage'
    chat_id    INTEGER,                                 -- the chat it goes to; NULL: none
    thread_id  INTEGER,                                 -- the topic it goes to; NULL: none
    payload    TEXT NOT NULL                            -- JSON object: the method's parameters
               CHECK (json_valid(payload) AND json_type(payload) = 'object'),
    state      TEXT NOT NULL DEFAULT 'ready'            -- 'uncertain': sent, and no response received
               CHECK (state IN ('ready', 'sending', 'sent', 'uncertain', 'failed', 'dropped')),
    attempts   INTEGER NOT NULL DEFAULT 0               -- number of attempts
               CHECK (attempts >= 0),
    not_before INTEGER NOT NULL DEFAULT 0,              -- earliest time of the next attempt
    message_id INTEGER,                                 -- Telegram's id of the message; NULL: not yet known
    error      TEXT,                                    -- last error message, for logs; contains no key
    created_at INTEGER NOT NULL,                        -- when it was added
    sent_at    INTEGER,                                 -- when Telegram accepted it
    priority   INTEGER NOT NULL DEFAULT 0               -- 0: answers, 1: tidying, 2: cards, 3: notices; 2 and 3 are
               CHECK (priority BETWEEN 0 AND 3),        -- the background stream of the lane
    behind     INTEGER NOT NULL DEFAULT 0               -- 1: was added behind another row of its stream, which is
               CHECK (behind IN (0, 1)),                -- still first; 0 may also mean that it was first before
    claimed_at INTEGER,                                 -- when its latest call began; NULL: none has
    known_id   INTEGER,                                 -- highest message id that was known before the call, or before
                                                        -- the first call that may have arrived; NULL: none was
    doubt      INTEGER NOT NULL DEFAULT 0               -- 1: an earlier call may have arrived, with an unknown id
               CHECK (doubt IN (0, 1)),
    unconfirmed INTEGER NOT NULL DEFAULT 0              -- calls that began and of which the result is not known
               CHECK (unconfirmed >= 0),
    holder     INTEGER,                                 -- the replica that sends it; NULL: the only process
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS outbox_turn ON outbox (turn_id, part) WHERE turn_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS outbox_sending ON outbox (lane, priority >= 2) WHERE state = 'sending';
CREATE INDEX IF NOT EXISTS outbox_ready ON outbox (lane, priority, id) WHERE state = 'ready';
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (priority, not_before, id, lane, chat_id)
    WHERE state = 'ready' AND behind = 0;
CREATE INDEX IF NOT EXISTS outbox_doubt ON outbox (chat_id) WHERE doubt = 1;
CREATE INDEX IF NOT EXISTS outbox_uncertain ON outbox (id) WHERE state = 'uncertain';
CREATE INDEX IF NOT EXISTS outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS outbox_failed ON outbox (created_at) WHERE state = 'failed';
CREATE INDEX IF NOT EXISTS outbox_dropped ON outbox (created_at) WHERE state = 'dropped';
-- The next row of a stream becomes the first one.
CREATE TRIGGER IF NOT EXISTS outbox_next AFTER UPDATE OF state ON outbox WHEN old.state = 'ready' AND new.state <> 'ready'
BEGIN
    UPDATE outbox SET behind = 0 WHERE id = (
        SELECT id FROM outbox
        WHERE state = 'ready' AND lane = old.lane
            AND priority BETWEEN iif(old.priority >= 2, 2, 0) AND iif(old.priority >= 2, 3, 1)
        ORDER BY priority, id LIMIT 1
    );
END;
CREATE TRIGGER IF NOT EXISTS outbox_moved AFTER UPDATE OF lane ON outbox WHEN old.lane <> new.lane
BEGIN
    UPDATE outbox SET behind = 0 WHERE id = new.id;
END;

-- The newest message ids of each sequence that the bot knows, its own and those of others.
CREATE TABLE IF NOT EXISTS known_ids (
    sequence   INTEGER NOT NULL,                        -- a supergroup or channel; 0: all other chats together
    message_id INTEGER NOT NULL,                        -- id of a message
    PRIMARY KEY (sequence, message_id)
) STRICT, WITHOUT ROWID;

-- Usage of each person per day, which budgets are checked against. It remains when the person's row is deleted.
CREATE TABLE IF NOT EXISTS usage (
    user_id           INTEGER NOT NULL,                 -- Telegram's user id; 0: no person, such as the shell
    group_id          INTEGER NOT NULL DEFAULT 0,       -- Telegram's id of the group; 0: not in a group
    day               TEXT NOT NULL                     -- in the bot's time zone
                      CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    provider          TEXT NOT NULL,                    -- the provider called
    model             TEXT NOT NULL,                    -- the model called
    requests          INTEGER NOT NULL DEFAULT 0 CHECK (requests >= 0),      -- calls of the model
    input_tokens      INTEGER NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),  -- input tokens
    output_tokens     INTEGER NOT NULL DEFAULT 0 CHECK (output_tokens >= 0), -- output tokens
    cost_micros       INTEGER NOT NULL DEFAULT 0 CHECK (cost_micros >= 0),   -- millionths of a US dollar
    unpriced_requests INTEGER NOT NULL DEFAULT 0        -- calls with an unknown price, not in the cost
                      CHECK (unpriced_requests BETWEEN 0 AND requests),
    PRIMARY KEY (user_id, day, group_id, provider, model)
) STRICT;
CREATE INDEX IF NOT EXISTS usage_day ON usage (day);
CREATE INDEX IF NOT EXISTS usage_group ON usage (group_id, day) WHERE group_id <> 0;

-- Limits set by admins; they override those of the configuration.
CREATE TABLE IF NOT EXISTS budgets (
    scope      TEXT NOT NULL,                           -- 'bot', 'role:user', 'user:7' or 'group:-100'
    measure    TEXT NOT NULL                            -- what is limited; 'tokens': input and output together
               CHECK (measure IN ('requests', 'tokens', 'cost')),
    period     TEXT NOT NULL                            -- calendar day or month in the bot's time zone
               CHECK (period IN ('day', 'month')),
    amount     INTEGER CHECK (amount > 0),              -- cost in millionths of a US dollar; NULL: no limit
    updated_at INTEGER NOT NULL,                        -- when it was set
    by_owner   INTEGER NOT NULL DEFAULT 1               -- 1: set by an owner or in the shell
               CHECK (by_owner IN (0, 1)),
    PRIMARY KEY (scope, measure, period)
) STRICT, WITHOUT ROWID;

-- Adjustments of a limit in one day or month.
CREATE TABLE IF NOT EXISTS budget_periods (
    scope     TEXT NOT NULL,                            -- as in budgets, but no role
    measure   TEXT NOT NULL                             -- as in budgets
              CHECK (measure IN ('requests', 'tokens', 'cost')),
    period    TEXT NOT NULL                             -- as in budgets
              CHECK (period IN ('day', 'month')),
    first_day TEXT NOT NULL                             -- first day of the period, in the bot's time zone
              CHECK (first_day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    extra     INTEGER NOT NULL DEFAULT 0                -- added to the limit
              CHECK (extra >= 0),
    forgiven  INTEGER NOT NULL DEFAULT 0                -- used before the last reset, not counted any more
              CHECK (forgiven >= 0),
    told      INTEGER NOT NULL DEFAULT 0                -- highest percentage that was announced
              CHECK (told IN (0, 80, 100)),
    PRIMARY KEY (scope, measure, period, first_day)
) STRICT, WITHOUT ROWID;

-- Messages of admins to everybody, from preview to report.
CREATE TABLE IF NOT EXISTS broadcasts (
    id          INTEGER PRIMARY KEY,                    -- counts up
    admin_id    INTEGER NOT NULL,                       -- user id of the admin
    text        TEXT NOT NULL,                          -- text of the broadcast
    lane        TEXT NOT NULL,                          -- lane of the progress message
    language    TEXT NOT NULL,                          -- language of the progress message; '': the bot's own
    state       TEXT NOT NULL DEFAULT 'preview'         -- state of the broadcast
                CHECK (state IN ('preview', 'running', 'stopping', 'stopped', 'done')),
    people      INTEGER NOT NULL DEFAULT 0              -- number of recipients
                CHECK (people >= 0),
    delivered   INTEGER NOT NULL DEFAULT 0              -- recipients who received it
                CHECK (delivered >= 0),
    blocked     INTEGER NOT NULL DEFAULT 0              -- recipients that the bot may not write to
                CHECK (blocked >= 0),
    failed      INTEGER NOT NULL DEFAULT 0              -- recipients for whom Telegram refused it
                CHECK (failed >= 0),
    unconfirmed INTEGER NOT NULL DEFAULT 0              -- recipients for whom Telegram did not confirm it
                CHECK (unconfirmed >= 0),
    left_out    INTEGER NOT NULL DEFAULT 0              -- recipients who lost access, or were left when it was stopped
                CHECK (left_out >= 0),
    progress_id INTEGER,                                -- outbox row of the progress message
    expires_at  INTEGER NOT NULL,                       -- deadline for confirming the preview
    created_at  INTEGER NOT NULL,                       -- when it was written
    finished_at INTEGER,                                -- when it ended
    CHECK ((state IN ('stopped', 'done')) = (finished_at IS NOT NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS broadcasts_open ON broadcasts (id) WHERE state IN ('running', 'stopping');

-- Pending recipients of broadcasts.
CREATE TABLE IF NOT EXISTS broadcast_recipients (
    broadcast_id INTEGER NOT NULL                       -- the broadcast
                 REFERENCES broadcasts (id) ON DELETE CASCADE,
    user_id      INTEGER NOT NULL,                      -- the person
    outbox_id    INTEGER,                               -- outbox row of the message; NULL: not added yet
    PRIMARY KEY (broadcast_id, user_id)
) STRICT, WITHOUT ROWID;

-- Who changed what: approvals, roles, budgets, settings.
CREATE TABLE IF NOT EXISTS audit (
    id       INTEGER PRIMARY KEY,                       -- counts up
    at       INTEGER NOT NULL,                          -- when it happened
    actor_id INTEGER,                                   -- user id of the actor; NULL: the program or the shell
    source   TEXT NOT NULL,                             -- where it was done, such as 'telegram', 'shell' or 'config'
    action   TEXT NOT NULL,                             -- what was done, such as 'user.approve'
    target   TEXT,                                      -- the person or thing affected
    details  TEXT NOT NULL DEFAULT '{}'                 -- JSON object: values before and after; contains no key
             CHECK (json_valid(details) AND json_type(details) = 'object')
) STRICT;
CREATE INDEX IF NOT EXISTS audit_at ON audit (at);

-- Due times of jobs, so that a restart does not run one twice.
CREATE TABLE IF NOT EXISTS schedules (
    job_id      TEXT NOT NULL,                          -- the job's name
    fire_time   INTEGER NOT NULL,                       -- when it was due
    started_at  INTEGER NOT NULL,                       -- when it started
    finished_at INTEGER,                                -- when it ended
    state       TEXT NOT NULL DEFAULT 'running'         -- 'interrupted': the process ended during the run
                CHECK (state IN ('running', 'ok', 'failed', 'missed', 'interrupted')),
    error       TEXT,                                   -- error message, for logs; contains no key
    PRIMARY KEY (job_id, fire_time),
    CHECK ((state = 'running') = (finished_at IS NULL))
) STRICT;

-- One-shot jobs of plugins that have not ended, and calls of hooks that plugins still have to get.
CREATE TABLE IF NOT EXISTS plugin_jobs (
    id         INTEGER PRIMARY KEY,                     -- number of the job
    plugin_id  TEXT NOT NULL,                           -- the plugin
    kind       TEXT NOT NULL DEFAULT 'job'              -- the hook to call: tgllm_job, tgllm_forget, tgllm_chat_moved
               CHECK (kind IN ('job', 'forget', 'chat_moved')),
    owner      INTEGER NOT NULL DEFAULT 0,              -- Telegram id of a person or group; 0: the plugin itself
    job_id     TEXT NOT NULL,                           -- the plugin's name for the job
    mark       INTEGER NOT NULL,                        -- random: tells this row from a later one with the same name
    data       TEXT NOT NULL CHECK (json_valid(data)),  -- JSON for the hook
    due_at     INTEGER NOT NULL,                        -- when it is to run
    run_at     INTEGER NOT NULL,                        -- when the next attempt is made, at the earliest
    attempts   INTEGER NOT NULL DEFAULT 0               -- how often it was started
               CHECK (attempts >= 0),
    started_at INTEGER,                                 -- when the present attempt started; NULL: it waits
    error      TEXT,                                    -- error message of the last attempt, for logs
    created_at INTEGER NOT NULL,                        -- when it was planned
    UNIQUE (plugin_id, kind, owner, job_id)
) STRICT;
CREATE INDEX IF NOT EXISTS plugin_jobs_next ON plugin_jobs (plugin_id, run_at) WHERE started_at IS NULL;
CREATE INDEX IF NOT EXISTS plugin_jobs_started ON plugin_jobs (started_at) WHERE started_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS plugin_jobs_owner ON plugin_jobs (owner) WHERE owner <> 0;

-- Texts to send and questions to ask, at a time or by a rule of times, as people have set them.
CREATE TABLE IF NOT EXISTS reminders (
    id         INTEGER PRIMARY KEY,                     -- counts up
    user_id    INTEGER NOT NULL                         -- who has set it
               REFERENCES users (id) ON DELETE CASCADE,
    lane       TEXT NOT NULL,                           -- business connection, chat and topic in one name
    message_id INTEGER NOT NULL DEFAULT 0,              -- Telegram's id of the message that set it; 0: unknown
    kind       TEXT NOT NULL CHECK (kind IN ('text', 'prompt')), -- the text is sent, or the model is asked it
    text       TEXT NOT NULL,                           -- what to send or to ask
    days       INTEGER NOT NULL DEFAULT 0 CHECK (days BETWEEN 0 AND 127), -- days of the week, 1 is Monday; 0: once
    minute     INTEGER CHECK (minute BETWEEN 0 AND 1439), -- minute of the person's day; NULL: once
    due_at     INTEGER NOT NULL,                        -- the next time
    paused     INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)), -- 1: its times pass without effect
    created_at INTEGER NOT NULL,                        -- when it was set
    CHECK ((days = 0) = (minute IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS reminders_due ON reminders (due_at) WHERE paused = 0;
CREATE INDEX IF NOT EXISTS reminders_user ON reminders (user_id, due_at);
CREATE INDEX IF NOT EXISTS reminders_lane ON reminders (lane, due_at);

-- How much room the values of plugins take in kv, for their limits, and whose values there are.
CREATE TABLE IF NOT EXISTS plugin_room (
    plugin_id TEXT NOT NULL,                            -- the plugin
    owner     INTEGER NOT NULL DEFAULT 0,               -- Telegram id of a person or group; 0: the plugin itself
    keys      INTEGER NOT NULL CHECK (keys >= 0),       -- number of values
    bytes     INTEGER NOT NULL CHECK (bytes >= 0),      -- bytes of their keys and values
    PRIMARY KEY (plugin_id, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS plugin_room_owner ON plugin_room (owner) WHERE owner <> 0;

-- Small values of plugins and parts of the program, by scope.
CREATE TABLE IF NOT EXISTS kv (
    scope      TEXT NOT NULL,                           -- owner, such as 'plugin:echo', or 'plugin:echo:7' for a person's values
    key        TEXT NOT NULL,                           -- name within the scope
    value      TEXT NOT NULL CHECK (json_valid(value)), -- JSON
    updated_at INTEGER NOT NULL,                        -- last change of this row
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

-- Unexpected errors, one row for each kind: the same exception at the same place.
CREATE TABLE IF NOT EXISTS errors (
    id              TEXT PRIMARY KEY                    -- code that people see, such as 'E7K2-9QXM'
                    CHECK (id GLOB '????-????'),
    event           TEXT NOT NULL,                      -- name of the log line
    kind            TEXT NOT NULL,                      -- type of the exception
    message         TEXT NOT NULL,                      -- its latest message, without keys and without people's texts
    place           TEXT NOT NULL,                      -- file and line, such as 'dispatch.py:12'; '': unknown
    trace           TEXT NOT NULL                       -- JSON array: lines of the traceback, the innermost one last
                    CHECK (json_valid(trace) AND json_type(trace) = 'array'),
    plugin          TEXT,                               -- id of the plugin whose code failed; NULL: the program itself
    version         TEXT NOT NULL,                      -- version of the plugin or of the program, when it last occurred
    times           INTEGER NOT NULL CHECK (times >= 1), -- how often it occurred
    first_at        INTEGER NOT NULL,                   -- when it first occurred
    last_at         INTEGER NOT NULL,                   -- when it last occurred
    announced_at    INTEGER,                            -- when the admins were last notified; NULL: never
    announced_times INTEGER NOT NULL DEFAULT 0          -- how often it had occurred by then
                    CHECK (announced_times BETWEEN 0 AND times)
) STRICT;
CREATE INDEX IF NOT EXISTS errors_last ON errors (last_at);
CREATE INDEX IF NOT EXISTS errors_unannounced ON errors (announced_at) WHERE announced_times < times;

-- Turns and updates in which unexpected errors occurred.
CREATE TABLE IF NOT EXISTS error_places (
    kind     TEXT NOT NULL                              -- what ref is the id of, as in the log
             CHECK (kind IN ('turn', 'update_id')),
    ref      TEXT NOT NULL,                             -- the id of the turn or update
    error_id TEXT NOT NULL                              -- the error
             REFERENCES errors (id) ON DELETE CASCADE,
    user_id  INTEGER,                                   -- whose turn or update it was; NULL: of no person
    at       INTEGER NOT NULL,                          -- when it occurred
    PRIMARY KEY (kind, ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS error_places_error ON error_places (error_id, at);
CREATE INDEX IF NOT EXISTS error_places_user ON error_places (user_id) WHERE user_id IS NOT NULL;

-- Messages that plugins have sent by themselves or with buttons. Outbox rows with the turn 'plugin:<id>' send them.
CREATE TABLE IF NOT EXISTS plugin_messages (
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
CREATE UNIQUE INDEX IF NOT EXISTS plugin_messages_key ON plugin_messages (plugin_id, key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS plugin_messages_created ON plugin_messages (created_at);
CREATE INDEX IF NOT EXISTS plugin_messages_lane ON plugin_messages (lane);

-- The present buttons of messages of plugins; what a press brings is the id of the row and a number.
CREATE TABLE IF NOT EXISTS plugin_keyboards (
    id         INTEGER PRIMARY KEY,                     -- counts up from the time, so that no id is used again
    message_id INTEGER NOT NULL UNIQUE                  -- the message
               REFERENCES plugin_messages (id) ON DELETE CASCADE,
    buttons    TEXT NOT NULL                            -- JSON array: [id, who may press it, data] of each button
               CHECK (json_valid(buttons) AND json_type(buttons) = 'array')
) STRICT;

-- Chats that the bot may not write to: people who have blocked it, and groups that it was removed from.
CREATE TABLE IF NOT EXISTS unreachable_chats (
    chat_id INTEGER PRIMARY KEY,                        -- Telegram's id of the chat
    since   INTEGER NOT NULL                            -- when that was noticed last
) STRICT;

-- Answers of models that consist of calls of tools; deleted when the turn is stored.
CREATE TABLE IF NOT EXISTS tool_rounds (
    turn_id       TEXT NOT NULL,                        -- the turn
    round         INTEGER NOT NULL CHECK (round >= 1),  -- number of the answer of the model in the turn
    lane          TEXT NOT NULL,                        -- business connection, chat and topic in one name
    user_id       INTEGER,                              -- who asked; NULL: the shell
    provider      TEXT NOT NULL,                        -- provider of the model
    model         TEXT NOT NULL,                        -- the model that made the calls
    text          TEXT NOT NULL DEFAULT '',             -- what it said before the calls
    reasoning     TEXT NOT NULL DEFAULT '',             -- its reasoning
    provider_data TEXT                                  -- JSON object, returned to the same model
                  CHECK (provider_data IS NULL OR (json_valid(provider_data) AND json_type(provider_data) = 'object')),
    created_at    INTEGER NOT NULL,                     -- when it was stored
    PRIMARY KEY (turn_id, round)
) STRICT;
CREATE INDEX IF NOT EXISTS tool_rounds_user ON tool_rounds (user_id);

-- Calls of tools, with their results.
CREATE TABLE IF NOT EXISTS tool_calls (
    id           INTEGER PRIMARY KEY,                   -- counts up
    turn_id      TEXT NOT NULL,                         -- the turn
    round        INTEGER NOT NULL CHECK (round >= 1),   -- the answer of the model that it is part of
    place        INTEGER NOT NULL CHECK (place >= 0),   -- its place among the calls of that answer, from 0
    call_id      TEXT NOT NULL,                         -- the provider's id of the call
    tool         TEXT NOT NULL,                         -- name of the tool, as the model wrote it
    plugin_id    TEXT,                                  -- the plugin of the tool; NULL: there is no such tool
    lane         TEXT NOT NULL,                         -- business connection, chat and topic in one name
    user_id      INTEGER,                               -- on behalf of whom; NULL: the shell
    arguments    TEXT NOT NULL,                         -- as the model wrote them, maybe invalid JSON
    state        TEXT NOT NULL DEFAULT 'asked'          -- see services/tools
                 CHECK (state IN ('asked', 'waiting', 'approved', 'running', 'done', 'failed', 'invalid', 'refused',
                                  'denied', 'expired', 'stopped', 'unknown')),
    approver     TEXT CHECK (approver IN ('asker', 'admins')), -- who may approve it; NULL: it needs no approval
    decided_by   INTEGER,                               -- user id of who has approved or denied it
    decided_at   INTEGER,                               -- when that was
    expires_at   INTEGER,                               -- when the card stops working
    card_id      INTEGER,                               -- outbox row of the card
    mark         INTEGER NOT NULL DEFAULT 0,            -- random: part of the data of the card's buttons
    result       TEXT,                                  -- what the model reads; NULL: no result yet
    extras       TEXT NOT NULL DEFAULT '{}'             -- JSON object: sources and files of the result
                 CHECK (json_valid(extras) AND json_type(extras) = 'object'),
    error        TEXT,                                  -- error message, for logs
    created_at   INTEGER NOT NULL,                      -- when the model made the call
    started_at   INTEGER,                               -- when it started; NULL: it did not
    finished_at  INTEGER,                               -- when it ended
    UNIQUE (turn_id, round, place)
) STRICT;
CREATE INDEX IF NOT EXISTS tool_calls_user ON tool_calls (user_id, created_at);
CREATE INDEX IF NOT EXISTS tool_calls_created ON tool_calls (created_at);
CREATE INDEX IF NOT EXISTS tool_calls_lane ON tool_calls (lane);
CREATE INDEX IF NOT EXISTS tool_calls_waiting ON tool_calls (expires_at) WHERE state = 'waiting';

-- Who may use which tools, as admins have set it; what is NULL or missing is as configured.
CREATE TABLE IF NOT EXISTS tool_rules (
    tool       TEXT NOT NULL,                           -- name of the tool
    plugin_id  TEXT NOT NULL,                           -- its plugin: another one with a tool of that name has no rule
    private    TEXT                                     -- lowest role that may use it in private chats; NULL: as configured
               CHECK (private IN ('owner', 'admin', 'user', 'guest', 'nobody')),
    groups     TEXT                                     -- the same in groups
               CHECK (groups IN ('owner', 'admin', 'user', 'guest', 'nobody')),
    per_day    INTEGER CHECK (per_day >= 0),            -- most calls of a person in a day; 0: no limit; NULL: as configured
    approval   TEXT                                     -- who approves each call; NULL: as configured
               CHECK (approval IN ('never', 'asker', 'admins')),
    updated_by INTEGER,                                 -- user id of the admin; NULL: the shell
    updated_at INTEGER NOT NULL,                        -- last change of this row
    PRIMARY KEY (tool, plugin_id)
) STRICT, WITHOUT ROWID;

-- Approvals of further calls, which people have given on the card of a call.
CREATE TABLE IF NOT EXISTS tool_grants (
    tool       TEXT NOT NULL,                           -- name of the tool
    plugin_id  TEXT NOT NULL,                           -- its plugin: another one with a tool of that name has no grant
    user_id    INTEGER NOT NULL,                        -- whose calls are approved
    lane       TEXT NOT NULL DEFAULT '',                -- the chat or topic; empty: everywhere
    until      INTEGER,                                 -- when it ends; NULL: never
    granted_by INTEGER NOT NULL,                        -- user id of who has granted it
    created_at INTEGER NOT NULL,                        -- when that was
    PRIMARY KEY (tool, plugin_id, user_id, lane)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tool_grants_user ON tool_grants (user_id);
-- An approval ends with the access or the role in which it was given; it does not come back with them.
CREATE TRIGGER IF NOT EXISTS tool_grants_lost AFTER UPDATE OF role, status ON users
WHEN new.role <> old.role OR new.status <> 'active'
BEGIN
    DELETE FROM tool_grants WHERE user_id = new.id;
END;

-- Running processes of the bot and of the shell that use this database together. Empty with SQLite: only one may run.
CREATE TABLE IF NOT EXISTS replicas (
    id          INTEGER PRIMARY KEY,                    -- number of its lease, never used again
    name        TEXT NOT NULL,                          -- as `tgllm doctor` and the metrics show it
    kind        TEXT NOT NULL                           -- 'shell': a command, which takes no updates
                CHECK (kind IN ('bot', 'shell')),
    state       TEXT NOT NULL DEFAULT 'ready'           -- 'draining': it takes no further updates
                CHECK (state IN ('ready', 'draining')),
    started_at  INTEGER NOT NULL,                       -- when it started
    alive_until INTEGER NOT NULL,                       -- end of its lease, by the clock of the database
    commits     INTEGER NOT NULL DEFAULT 0              -- how many transactions it has committed
                CHECK (commits >= 0)
) STRICT;
CREATE INDEX IF NOT EXISTS replicas_overdue ON replicas (alive_until);

-- Work that one replica at a time may do, such as sending.
CREATE TABLE IF NOT EXISTS leases (
    name   TEXT PRIMARY KEY,                            -- name of the work, such as 'leader'
    holder INTEGER,                                     -- the replica; NULL: none
    fence  INTEGER NOT NULL DEFAULT 0                   -- how often the holder has changed
           CHECK (fence >= 0),
    until  INTEGER NOT NULL DEFAULT 0                   -- end of the lease, by the clock of the database
) STRICT, WITHOUT ROWID;

-- Requests to the replica that runs a turn.
CREATE TABLE IF NOT EXISTS turn_orders (
    id         INTEGER PRIMARY KEY,                     -- counts up
    lane       TEXT NOT NULL,                           -- business connection, chat and topic in one name
    turn_id    TEXT NOT NULL,                           -- the turn
    kind       TEXT NOT NULL                            -- 'outdate': its question was edited or deleted
               CHECK (kind IN ('stop', 'outdate')),
    holder     INTEGER NOT NULL,                        -- the replica that runs it
    created_at INTEGER NOT NULL                         -- when it was added
) STRICT;
CREATE INDEX IF NOT EXISTS turn_orders_holder ON turn_orders (holder, id);

-- What running turns may still use of limits, where there are several replicas.
CREATE TABLE IF NOT EXISTS budget_reservations (
    turn_id    TEXT NOT NULL,                           -- the turn
    key        TEXT NOT NULL,                           -- the limit
    holder     INTEGER NOT NULL,                        -- the replica that runs the turn
    amount     INTEGER NOT NULL CHECK (amount >= 0),    -- as in budgets
    created_at INTEGER NOT NULL,                        -- when it was added
    PRIMARY KEY (turn_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS budget_reservations_key ON budget_reservations (key);
CREATE INDEX IF NOT EXISTS budget_reservations_holder ON budget_reservations (holder);

-- Latest questions of each person, for the limits of a minute, where there are several replicas.
CREATE TABLE IF NOT EXISTS question_times (
    id      INTEGER PRIMARY KEY,                        -- counts up
    user_id INTEGER NOT NULL,                           -- the person
    at      INTEGER NOT NULL,                           -- when it was asked
    kind    TEXT NOT NULL DEFAULT 'question'            -- 'warning': the reply that the limit is reached
            CHECK (kind IN ('question', 'warning'))
) STRICT;
CREATE INDEX IF NOT EXISTS question_times_user ON question_times (user_id, kind, at);
CREATE INDEX IF NOT EXISTS question_times_at ON question_times (at);
