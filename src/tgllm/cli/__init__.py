"""The shell commands. What a command needs is imported when it is called, so that ``--help`` comes at once."""
