-- Full-text indexes of the tables passages and messages, by their ids; left out where SQLite is built without FTS5.
--
-- They hold no text and no positions: which passages contain a word or a trigram is all that is looked up, and what is
-- found is read from the table. So they take little more space than the text itself.

-- Words, without accents; of Chinese, Japanese and Korean each pair of characters (see db/engine/full_text.py). Marks are
-- parts of words, as in Hindi.
CREATE VIRTUAL TABLE IF NOT EXISTS passage_words USING fts5 (
    text, content='', detail=none, tokenize='unicode61 remove_diacritics 2 categories ''L* N* Co M*'''
);
-- Trigrams, for parts of words, and for Thai, Lao, Khmer and Burmese.
CREATE VIRTUAL TABLE IF NOT EXISTS passage_trigrams USING fts5 (
    text, content='', detail=none, tokenize='trigram'
);
-- The words of the index, to find inflected forms.
CREATE VIRTUAL TABLE IF NOT EXISTS passage_vocabulary USING fts5vocab (passage_words, row);
-- Trigrams of messages, by the ids of messages, of their folded text (see services/search). Triggers on messages note what
-- is to be added and taken out; the program does it later, in small pieces.
CREATE VIRTUAL TABLE IF NOT EXISTS message_trigrams USING fts5 (
    text, content='', detail=none, tokenize='trigram'
);
