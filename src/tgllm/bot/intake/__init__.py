"""From getUpdates to a handler: poller, inbox, dispatch, recovery."""
