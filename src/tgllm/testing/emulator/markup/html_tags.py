"""Tags of inline styles. Source: Bot API, "HTML style" and "Rich message formatting"."""

__all__ = ["INLINE_TAGS"]

# Tag -> type of the entity or rich text.
INLINE_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
}
