"""Tables of proposed facts, and of the index of the search in conversations."""
