-- Tokens written to a provider's cache, which have a price of their own.
ALTER TABLE requests ADD COLUMN cache_write_tokens INTEGER CHECK (cache_write_tokens >= 0);
ALTER TABLE models ADD COLUMN cache_write_price INTEGER CHECK (cache_write_price >= 0);
