"""The loop of a turn: answers of the model that call tools, the calls, and the requests with their results."""
