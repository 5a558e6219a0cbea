"""Child processes that run file handlers, so that a broken file costs a process and not the bot."""
