"""The screens of /admin, a module for each."""
