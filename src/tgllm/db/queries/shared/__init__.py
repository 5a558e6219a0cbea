"""Queries about what several processes on one database share out, and about what one of them has left."""
