"""The sections of the config, a model for each."""
