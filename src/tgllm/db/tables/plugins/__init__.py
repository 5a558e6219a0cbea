"""Tables with data of plugins."""
