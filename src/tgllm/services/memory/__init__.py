"""Memory with consent: facts that a model proposes and a person keeps, and the tools of the memory."""
