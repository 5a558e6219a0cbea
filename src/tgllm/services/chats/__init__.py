"""Settings of a chat: persona, group mode, language, remembered facts, ids of migrated groups."""
