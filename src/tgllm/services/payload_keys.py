"""Keys in the payload of an outbox row that are no parameters of the Bot API."""

__all__ = ["EDIT_OF_PART", "PLACEHOLDER", "REPEATABLE"]

EDIT_OF_PART = "edit_of_part"
"""In an edit: the part of the turn whose message is edited; its id is known only once it was sent."""
PLACEHOLDER = "placeholder"
"""In a message whose recipient does not miss it if it does not arrive, such as one that only holds the place for the
answer, or one of a broadcast."""
REPEATABLE = "repeatable"
"""In a message that may rather come twice than not at all."""
