"""Operations on the state: people, membership, posting, and the state as Bot API JSON."""
