"""Screens of ``/admin``, one module for each topic."""
