"""The commands of the shell, a module or a folder for each."""
