-- Full-text indexes of the tables passages and messages, as db/full_text.sql has them for SQLite.
--
-- The folded texts are stored, since PostgreSQL's lower() depends on the locale of the database. A row goes with the row
-- that it is about, and so do its entries of the index.

-- The runs of three characters of a text. Its cost keeps the planner from calling it for rows instead of reading the index.
CREATE OR REPLACE FUNCTION trigrams(value TEXT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS $$
    -- Three arrays side by side: access to single elements of a long array takes time in proportion to its length.
    SELECT coalesce(array_agg(DISTINCT first || second || third), '{}')
    FROM unnest(
        string_to_array(value, NULL), string_to_array(substr(value, 2), NULL), string_to_array(substr(value, 3), NULL)
    ) AS characters (first, second, third)
    WHERE third IS NOT NULL
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

-- Statistics of trigrams help no query, and to collect them takes seconds.
ALTER INDEX passage_index_trigrams ALTER COLUMN 1 SET STATISTICS 0;
ALTER INDEX message_index_trigrams ALTER COLUMN 1 SET STATISTICS 0;
