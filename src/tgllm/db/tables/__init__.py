"""A module for each table, with the functions that read and write it."""
