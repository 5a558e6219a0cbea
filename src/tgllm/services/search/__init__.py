"""Search in stored conversations, and the upkeep of its index."""
