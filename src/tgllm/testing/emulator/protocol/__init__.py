"""Facts of the Bot API: error texts, the methods' parameters, reactions."""
