"""Copies of a whole database, also from a file to a server and back."""
