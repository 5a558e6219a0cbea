"""Tests of what goes to the service and comes from it: conversations, settings, ends, usage, models."""
