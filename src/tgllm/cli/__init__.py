"""Shell commands. Each command imports its dependencies when it is called, so that ``--help`` is fast."""
