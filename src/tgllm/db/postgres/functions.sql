-- Functions that SQLite has and PostgreSQL lacks, with the same names and results, for the same statements.
--
-- They call only functions of PostgreSQL itself: constraints use them, and pg_restore checks those without a search path.

-- Whether a text is JSON.
CREATE OR REPLACE FUNCTION json_valid(value TEXT) RETURNS BOOLEAN LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    PERFORM value::json;
    RETURN value IS NOT NULL;
EXCEPTION WHEN invalid_text_representation OR untranslatable_character OR statement_too_complex THEN
    RETURN FALSE;
END $$;

-- The type of a JSON text, as SQLite names it; NULL for NULL.
CREATE OR REPLACE FUNCTION json_type(value TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE json_typeof(value::json)
        WHEN 'object' THEN 'object'
        WHEN 'array' THEN 'array'
        WHEN 'string' THEN 'text'
        WHEN 'null' THEN 'null'
        WHEN 'boolean' THEN btrim(value, E' \t\n\r')
        WHEN 'number' THEN CASE WHEN value ~ '[.eE]' THEN 'real' ELSE 'integer' END
    END
$$;

-- A JSON text without what PostgreSQL can't decode, NUL and halves of characters that are written as two, for reading.
CREATE OR REPLACE FUNCTION json_readable(document TEXT) RETURNS JSON LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN strpos(document, '\u') = 0 THEN document::json
        ELSE regexp_replace(document, '\\u(?:0000|[dD][89a-fA-F]..)', '\\ufffd', 'g')::json END
$$;

-- The value at a path such as '$.message.chat.id' or '$[0]', as text: 1 and 0 for true and false, JSON for an object or
-- array; NULL if there is none.
CREATE OR REPLACE FUNCTION json_extract(document TEXT, path TEXT) RETURNS TEXT
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    found JSON := json_readable(document)
        #> string_to_array(btrim(replace(replace(substr(path, 2), '[', '.'), ']', ''), '.'), '.');
BEGIN
    IF json_typeof(found) = 'boolean' THEN
        RETURN CASE found #>> '{}' WHEN 'true' THEN '1' ELSE '0' END;
    END IF;
    RETURN found #>> '{}';
END $$;

-- The elements of a JSON array; the value as text.
CREATE OR REPLACE FUNCTION json_each(document TEXT) RETURNS TABLE (key TEXT, value TEXT)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10 AS $$
    SELECT (number - 1)::text, element
    FROM json_array_elements_text(json_readable(document)) WITH ORDINALITY AS elements (element, number)
$$;

-- A JSON array with a number added; the path is '$[#]'.
CREATE OR REPLACE FUNCTION json_insert(document TEXT, path TEXT, value BIGINT) RETURNS TEXT
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE path WHEN '$[#]' THEN
        regexp_replace(document, '\s*\]\s*$', CASE json_array_length(document::json) WHEN 0 THEN '' ELSE ',' END || value || ']')
    END
$$;

-- What SQLite's CAST to INTEGER makes of a text: the number at its start, or else 0.
CREATE OR REPLACE FUNCTION to_integer(value TEXT) RETURNS BIGINT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IS NOT NULL THEN coalesce(substring(value FROM '^\s*([-+]?\d{1,18})')::bigint, 0) END
$$;
CREATE OR REPLACE FUNCTION to_integer(value BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT value
$$;

-- Place of a text in another one, from 1; 0 if it is not there.
CREATE OR REPLACE FUNCTION instr(value TEXT, part TEXT) RETURNS INTEGER LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT strpos(value, part)
$$;

-- The time now, in Julian days, also within a transaction; only for 'now'.
CREATE OR REPLACE FUNCTION julianday(value TEXT) RETURNS DOUBLE PRECISION LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT extract(epoch FROM clock_timestamp())::DOUBLE PRECISION / 86400 + 2440587.5
$$;
