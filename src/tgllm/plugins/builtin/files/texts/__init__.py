"""Readers of texts, of mails and archives that contain them, one module for each kind."""
