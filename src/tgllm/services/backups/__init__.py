"""Backups: one file with the database and the files of the bot, made, listed, checked and restored."""
