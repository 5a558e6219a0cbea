"""Chat with a model in the terminal: arguments, rendering of answers, prompt and its commands."""
