"""Built-in tools for models: a calculator and a clock."""
