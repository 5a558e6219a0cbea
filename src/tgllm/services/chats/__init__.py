"""Settings of a chat: persona, group mode, language, pinned facts, ids of migrated groups."""
