"""Packages of plugins: the environment that they are installed in, and safe changes of it."""
