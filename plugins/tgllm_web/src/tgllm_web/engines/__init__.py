"""The services that search."""
