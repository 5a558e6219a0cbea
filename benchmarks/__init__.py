"""Where the figures in docs/explanation/performance.md come from: ``python -m benchmarks``."""
