"""Fails at import."""

raise RuntimeError("the moon is not full")
