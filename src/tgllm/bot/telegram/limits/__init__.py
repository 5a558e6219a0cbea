"""Rates of calls to Telegram: buckets, windows, and the shares of the background and of replicas."""
