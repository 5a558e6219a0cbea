"""The operator's settings: the model, where they are read from, and the folders they name."""
