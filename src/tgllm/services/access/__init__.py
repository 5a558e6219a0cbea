"""Access of people and groups: requests, admin cards, decisions, invite links, expiry."""
