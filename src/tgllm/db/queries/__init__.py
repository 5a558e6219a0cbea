"""Queries that read or change several tables."""
