"""The connection to the Bot API: session, rate limiter, classified failures, the import of aiogram."""
