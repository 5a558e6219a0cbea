"""Connection to the Bot API: session, rate limiter, classification of failures, the import of aiogram."""
