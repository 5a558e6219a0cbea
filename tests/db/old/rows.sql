-- What a bot of version 1 with two people and a group has stored after a few days; the fourth update was being handled.
INSERT INTO users (id, username, first_name, language_code, role, status, decided_at, decided_by, created_at, updated_at) VALUES
    (1001, 'ann', 'Ann', 'en', 'owner', 'active', NULL, NULL, 1780000000000, 1780000000000),
    (1002, 'bob', 'Bob ''B'' Ünal', 'ru', 'user', 'active', 1780000100000, 1001, 1780000050000, 1780000100000),
    (1003, NULL, 'Eve; --', NULL, 'guest', 'pending', NULL, NULL, 1780000200000, 1780000200000);
INSERT INTO groups (id, title, status, requested_at, requested_by, decided_at, decided_by, updated_at) VALUES
    (-1001234567890, 'Family 👪', 'active', 1780000300000, 1002, 1780000310000, 1001, 1780000310000);
INSERT INTO invites (token_hash, uses, uses_left, expires_at, created_by, created_at) VALUES
    ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 5, 3, 1790000000000, 1001, 1780000000000);
INSERT INTO conversations (id, lane, title, provider, model, settings, created_at, updated_at) VALUES
    (1, ':1002:', 'Trip', 'mistral', 'mistral-small', '{"context_tokens": 4000}', 1780000400000, 1780000400000),
    (2, ':-1001234567890:7', NULL, NULL, NULL, '{}', 1780000500000, 1780000500000);
INSERT INTO messages (id, conversation_id, parent_id, turn_id, role, text, provider, model, provider_data, telegram_chat_id, telegram_message_ids, user_id, created_at) VALUES
    (1, 1, NULL, 'u:11', 'user', 'What to see in Lisbon?', NULL, NULL, NULL, 1002, '[11]', 1002, 1780000400000),
    (2, 1, 1, 'u:11', 'assistant', 'The old town; and "pastéis".', 'mistral', 'mistral-small', '{"a": 1}', 1002, '[12, 13]', NULL, 1780000401000),
    (3, 1, 2, 'u:14', 'user', 'And this?', NULL, NULL, NULL, 1002, '[14]', 1002, 1780000402000),
    (4, 2, NULL, 'u:15', 'user', 'Hi', NULL, NULL, NULL, -1001234567890, '[15]', 1001, 1780000500000);
UPDATE conversations SET head_message_id = 3 WHERE id = 1;
INSERT INTO summaries VALUES (1, 2, 'About Lisbon.', 'mistral', 'mistral-small', 1780000403000);
INSERT INTO facts (lane, user_id, text, created_at) VALUES (':1002:', 1002, 'Vegetarian', 1780000404000);
INSERT INTO requests (id, turn_id, conversation_id, message_id, user_id, provider, model, status, finish_reason, input_tokens, output_tokens, cost_micros, error_code, created_at, finished_at) VALUES
    (1, 'u:11', 1, 2, 1002, 'mistral', 'mistral-small', 'ok', 'stop', 20, 30, 12, NULL, 1780000400000, 1780000401000),
    (2, 'u:15', 2, NULL, 1001, 'gemini', 'gemini-flash', 'failed', NULL, NULL, NULL, NULL, 'provider_unavailable', 1780000500000, 1780000501000);
INSERT INTO models (provider, model, title, context_window, is_default, first_seen_at, last_seen_at) VALUES
    ('mistral', 'mistral-small', 'Mistral Small', 32000, 1, 1780000000000, 1780000000000);
INSERT INTO files (id, request_id, message_id, user_id, path, mime, size, sha256, original_name, created_at) VALUES
    (1, 1, 3, 1002, 'files/0123456789abcdef0123456789abcdef', 'image/jpeg', 5, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '../photo.jpg', 1780000402000);
INSERT INTO inbox (update_id, lane, kind, payload, state, attempts, received_at, started_at, finished_at, error) VALUES
    (11, ':1002:', 'message', '{"update_id": 11}', 'done', 1, 1780000400000, 1780000400000, 1780000401000, NULL),
    (14, ':1002:', 'message', '{"update_id": 14}', 'queued', 0, 1780000402000, NULL, NULL, NULL),
    (15, ':-1001234567890:7', 'message', '{"update_id": 15}', 'failed', 2, 1780000500000, 1780000500000, 1780000501000, 'x'),
    (16, ':1001:', 'message', '{"update_id": 16}', 'running', 3, 1780000502000, 1780000502000, NULL, NULL);
INSERT INTO outbox (id, lane, turn_id, part, kind, method, chat_id, payload, state, message_id, created_at, sent_at) VALUES
    (1, ':1002:', 'u:11', 0, 'send', 'sendMessage', 1002, '{"text": "The old town"}', 'sent', 12, 1780000401000, 1780000401500),
    (2, ':1002:', NULL, 0, 'send', 'sendMessage', 1002, '{"text": "later"}', 'ready', NULL, 1780000402000, NULL),
    (3, ':1001:', 'access:1003', 0, 'send', 'sendMessage', 1001, '{"text": "Eve asks"}', 'ready', NULL, 1780000402000, NULL);
INSERT INTO usage VALUES (1002, 0, '2026-05-28', 'mistral', 'mistral-small', 1, 20, 30, 12, 0);
INSERT INTO budgets (scope, measure, period, amount, updated_at) VALUES ('user:1002', 'cost', 'month', 5000000, 1), ('bot', 'tokens', 'day', NULL, 1);
INSERT INTO budget_periods VALUES ('user:1002', 'cost', 'month', '2026-05-01', 0, 0, 80);
INSERT INTO broadcasts (id, admin_id, text, lane, language, state, people, delivered, expires_at, created_at, finished_at) VALUES
    (1, 1001, 'Hello all', ':1001:', 'en', 'done', 1, 1, 1780001000000, 1780000600000, 1780000700000);
INSERT INTO broadcast_recipients VALUES (1, 1002, 1);
INSERT INTO audit (at, actor_id, source, action, target, details) VALUES
    (1780000100000, 1001, 'telegram', 'access.approve', '1002', '{}'),
    (1780000110000, 1001, 'telegram', 'budget.set', '1002', '{"limit": "usd/month"}');
INSERT INTO schedules VALUES ('models.refresh', 1780000000000, 1780000000000, 1780000001000, 'ok', NULL);
INSERT INTO kv VALUES ('plugin:notes', 'n', '{"deep": [1, 2]}', 1780000000000), ('bot', 'account', '{"id": 42, "username": "old_bot"}', 1780000000000);
