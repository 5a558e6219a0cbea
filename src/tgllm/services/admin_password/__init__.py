"""The admin password: questions, tries, recovery."""
