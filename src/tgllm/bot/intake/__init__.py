"""Intake of updates, from getUpdates to the handlers: poller, inbox, dispatch, recovery."""
