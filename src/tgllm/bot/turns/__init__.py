"""From messages to a turn: addressing, prompt, albums, split texts, edits, stopping."""
