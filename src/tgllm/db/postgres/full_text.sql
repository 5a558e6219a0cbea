-- Full-text indexes of the tables passages and messages, as db/full_text.sql has them for SQLite.
--
-- The folded texts are stored, since PostgreSQL's lower() depends on the locale of the database. A row goes with the row
-- that it is about, and so do its entries of the index.

-- The runs of three characters of a text.
CREATE OR REPLACE FUNCTION trigrams(value TEXT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT characters[n] || characters[n + 1] || characters[n + 2]), '{}')
    FROM (SELECT string_to_array(value, NULL) AS characters) AS split,
        generate_series(1, array_length(characters, 1) - 2) AS n
$$;

-- Words of passages without accents, of Chinese, Japanese and Korean each pair of characters; and the text without case.
CREATE TABLE IF NOT EXISTS passage_index (
    id BIGINT PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE,
    words TSVECTOR NOT NULL,
    folded TEXT COLLATE "C" NOT NULL
);
CREATE INDEX IF NOT EXISTS passage_index_words ON passage_index USING gin (words);
CREATE INDEX IF NOT EXISTS passage_index_trigrams ON passage_index USING gin (trigrams(folded));

-- Texts of messages as the search folds them; the program adds them later, in small pieces.
CREATE TABLE IF NOT EXISTS message_index (
    id BIGINT PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    folded TEXT COLLATE "C" NOT NULL
);
CREATE INDEX IF NOT EXISTS message_index_trigrams ON message_index USING gin (trigrams(folded));
