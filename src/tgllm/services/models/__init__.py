"""Models and their providers: registry, prices, lists, choices, the default."""
