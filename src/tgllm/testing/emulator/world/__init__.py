"""Operations on the state: accounts, membership, posting, and conversion to Bot API JSON."""
