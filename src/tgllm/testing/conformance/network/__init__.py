"""Tests of the way to the service: addresses, proxies, responses, redirects, silence, the event loop."""
