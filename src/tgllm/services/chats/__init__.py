"""Settings of a chat: model, group mode, language, personas, pinned facts, moved groups."""
