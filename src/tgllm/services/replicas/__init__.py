"""Several processes that run one bot on one database: which of them live, which one leads, and orders to each other."""
