"""Access: requests, cards, groups, invite links, expiry."""
