-- Attachments of questions, and what was read of them.
ALTER TABLE files ADD COLUMN turn_id TEXT;
ALTER TABLE files ADD COLUMN position INTEGER NOT NULL DEFAULT 0 CHECK (position >= 0);
ALTER TABLE files ADD COLUMN kind TEXT NOT NULL DEFAULT 'document';
ALTER TABLE files ADD COLUMN key TEXT;
ALTER TABLE files ADD COLUMN seconds REAL;
CREATE INDEX files_turn ON files (turn_id) WHERE turn_id IS NOT NULL;
CREATE INDEX files_key ON files (key) WHERE key IS NOT NULL;
CREATE INDEX files_unlinked ON files (created_at) WHERE message_id IS NULL;
CREATE TABLE file_texts (
    sha256       TEXT NOT NULL,
    reader       TEXT NOT NULL,
    text         TEXT NOT NULL,
    chars        INTEGER NOT NULL CHECK (chars >= 0),
    pages        INTEGER CHECK (pages >= 0),
    truncated    INTEGER NOT NULL DEFAULT 0
                 CHECK (truncated IN (0, 1)),
    without_text INTEGER NOT NULL DEFAULT 0
                 CHECK (without_text >= 0),
    encoding     TEXT NOT NULL DEFAULT '',
    language     TEXT,
    pictures     TEXT
                 CHECK (pictures IS NULL OR (json_valid(pictures) AND json_type(pictures) = 'array')),
    error        TEXT,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (sha256, reader)
) STRICT;
CREATE TRIGGER files_gone AFTER DELETE ON files
WHEN NOT EXISTS (SELECT 1 FROM files WHERE sha256 = old.sha256)
BEGIN
    DELETE FROM file_texts WHERE sha256 = old.sha256;
END;
