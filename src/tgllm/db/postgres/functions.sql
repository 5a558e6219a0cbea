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

-- Position of a part in a text, from 1; 0 if it is not there.
CREATE OR REPLACE FUNCTION instr(value TEXT, part TEXT) RETURNS INTEGER LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT strpos(value, part)
$$;

-- The time now, in Julian days, also within a transaction; only for 'now'.
CREATE OR REPLACE FUNCTION julianday(value TEXT) RETURNS DOUBLE PRECISION LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT extract(epoch FROM clock_timestamp())::DOUBLE PRECISION / 86400 + 2440587.5
$$;
