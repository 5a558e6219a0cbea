"""Kills and faults: the bot as a process that is killed again and again while people ask, and what came of it."""
