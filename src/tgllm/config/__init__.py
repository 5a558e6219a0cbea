"""Settings: their model, their sources, and default paths."""
