"""Rendering of long texts in a process of its own, with a time limit."""
