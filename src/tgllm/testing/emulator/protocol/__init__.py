"""Facts of the Bot API: error messages, methods' parameters, reactions."""
