"""Models and their providers: registry, prices, model lists, choice and default of the model."""
