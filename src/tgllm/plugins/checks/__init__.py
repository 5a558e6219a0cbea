"""Validation of the values that plugins return."""
