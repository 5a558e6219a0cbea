"""One turn: from the question through the call of the model to the stored answer."""
