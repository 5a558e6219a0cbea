"""SQLite: connections, units of work, batches, the writer thread, the lock on the data folder."""
