"""The methods of the Bot API that have a behaviour of their own."""
