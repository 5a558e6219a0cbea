"""Checks of installed plugins, each loaded in a process of its own, and what is known about one."""
