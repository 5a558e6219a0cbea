"""Built-in plugin that reads files, with a module for each kind."""
