"""People: names, rights in a chat, decisions on access, search."""
