"""SQLite: connections, units of work, batches, the writer, the lock of the data folder."""
