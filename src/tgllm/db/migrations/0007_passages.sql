-- Texts of files, cut into passages; files with the same content share them.
CREATE TABLE documents (
    id       INTEGER PRIMARY KEY,
    sha256   TEXT NOT NULL UNIQUE
             CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    passages INTEGER NOT NULL CHECK (passages >= 0),
    stored   INTEGER NOT NULL DEFAULT 0
             CHECK (stored BETWEEN 0 AND passages),
    chars    INTEGER NOT NULL CHECK (chars >= 0),
    indexed  INTEGER NOT NULL
             CHECK (indexed IN (0, 1))
) STRICT;

-- Passages of the texts, in order: their texts joined are the whole text.
CREATE TABLE passages (
    id        INTEGER PRIMARY KEY,
    part_from TEXT NOT NULL,
    part_to   TEXT NOT NULL,
    heading   TEXT NOT NULL,
    headings  TEXT NOT NULL,
    line_from INTEGER NOT NULL,
    line_to   INTEGER NOT NULL,
    row_from  INTEGER NOT NULL,
    row_to    INTEGER NOT NULL,
    tokens    INTEGER NOT NULL CHECK (tokens >= 0),
    opening   TEXT NOT NULL,
    closing   TEXT NOT NULL,
    text      TEXT NOT NULL
) STRICT;
