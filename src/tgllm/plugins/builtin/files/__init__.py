"""Built-in readers of files, each in a module of its own."""
