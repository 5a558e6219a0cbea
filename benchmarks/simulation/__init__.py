"""Deterministic simulation: the real bot on a virtual clock, crashed at every step of a schedule."""
