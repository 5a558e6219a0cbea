"""Limits and faults: sending rates, ordered failures."""
