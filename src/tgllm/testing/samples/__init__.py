"""Answers of the demo that were written beforehand, and the provider that gives them."""
