-- Crashes are counted for each update, apart from its starts.
ALTER TABLE inbox ADD COLUMN asked INTEGER NOT NULL DEFAULT 0 CHECK (asked IN (0, 1));
ALTER TABLE inbox ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0);
ALTER TABLE inbox ADD COLUMN strikes INTEGER NOT NULL DEFAULT 0 CHECK (strikes BETWEEN 0 AND crashes);
CREATE INDEX inbox_suspect ON inbox (update_id) WHERE state = 'queued' AND control = 0 AND crashes > 1;
