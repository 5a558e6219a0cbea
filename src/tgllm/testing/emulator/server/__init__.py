"""Bot API over HTTP: requests, parameters, webhooks."""
