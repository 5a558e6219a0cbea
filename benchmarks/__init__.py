"""Benchmarks for docs/explanation/performance.md: ``python -m benchmarks``."""
