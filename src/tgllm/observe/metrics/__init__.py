"""Metrics of the running bot: counters, gauges and histograms that any part of it may change."""
