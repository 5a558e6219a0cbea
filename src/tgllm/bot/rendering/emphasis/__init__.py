"""Emphasis: which asterisks, underscores and tildes of a paragraph are markup, and which are text."""
