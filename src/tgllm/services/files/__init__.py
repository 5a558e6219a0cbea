"""Files of people and models: received, stored, read, and chosen for requests."""
