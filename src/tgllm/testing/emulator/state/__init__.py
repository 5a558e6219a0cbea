"""What the server stores: accounts, chats, messages, files, updates, the journal of calls."""
