"""Edits of messages whose ids Telegram has yet to give."""

__all__ = ["EDIT_OF_PART"]

EDIT_OF_PART = "edit_of_part"
"""Key in an edit's payload: the part of the turn whose message is edited; its id is known only once it was sent."""
