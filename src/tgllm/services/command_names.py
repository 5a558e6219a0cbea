"""Names of the bot's own chat commands."""

__all__ = ["CORE_COMMANDS"]

CORE_COMMANDS = frozenset(
    {
        "start",
        "stop",
        "cancel",
        "model",
        "models",
        "system",
        "persona",
        "settings",
        "remember",
        "facts",
        "clear",
        "new",
        "history",
        "retry",
        "undo",
        "fork",
        "continue",
        "usage",
        "export",
        "groupmode",
        "forget",
        "admin",
    }
)
"""Those that no plugin can have; the commands themselves stand in ``bot.handlers``."""
