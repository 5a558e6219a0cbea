"""Raw updates: reading, mentions, commands, scrubbing, acknowledgements."""
