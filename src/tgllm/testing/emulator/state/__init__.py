"""State of the server: accounts, chats, messages, files, updates, the journal of calls."""
