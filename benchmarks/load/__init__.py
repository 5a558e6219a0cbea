"""Costs that depend on what came before, or on what waits."""
