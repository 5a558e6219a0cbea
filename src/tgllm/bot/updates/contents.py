"""Content of messages: what is talk, and what are service messages, which are not answered.

docs/reference/kinds-of-chats.md explains each field. A test compares both with aiogram's model, so that a field of a
later version of the Bot API is decided before it is used; until then it counts as a service message.
"""

from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["CONTENT", "SPEAKING_FILES", "ContentTreatment"]

ContentTreatment = Literal["talk", "detail", "acted", "silent"]
"""What a field of a message's content says.

``talk``: a person says or shows something, and expects an answer. ``detail``: describes another field. ``acted``: a
service message that the bot acts on. ``silent``: a service message that is ignored.
"""

_TALK = """
text caption rich_message animation audio document live_photo paid_media photo sticker story video video_note voice
checklist contact dice game poll venue location invoice giveaway giveaway_winners
"""
_DETAILS = """
date edit_date entities link_preview_options effect_id caption_entities show_caption_above_media has_media_spoiler
reply_markup
"""
_ACTED = "migrate_to_chat_id migrate_from_chat_id"
_SILENT = """
new_chat_members left_chat_member chat_owner_left chat_owner_changed new_chat_title new_chat_photo delete_chat_photo
group_chat_created supergroup_chat_created channel_chat_created community_chat_added community_chat_removed
community_chat_joined managed_bot_created message_auto_delete_timer_changed pinned_message chat_background_set
forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened general_forum_topic_hidden
general_forum_topic_unhidden boost_added giveaway_created giveaway_completed checklist_tasks_done
checklist_tasks_added poll_option_added poll_option_deleted gift unique_gift gift_upgrade_sent
direct_message_price_changed paid_message_price_changed successful_payment refunded_payment suggested_post_approved
suggested_post_approval_failed suggested_post_declined suggested_post_paid suggested_post_refunded
video_chat_scheduled video_chat_started video_chat_ended video_chat_participants_invited users_shared user_shared
chat_shared connected_website write_access_allowed web_app_data passport_data proximity_alert_triggered
"""


def _table() -> dict[str, ContentTreatment]:
    table: dict[str, ContentTreatment] = dict.fromkeys(_TALK.split(), "talk")
    table |= dict.fromkeys(_DETAILS.split(), "detail")
    table |= dict.fromkeys(_ACTED.split(), "acted")
    table |= dict.fromkeys(_SILENT.split(), "silent")
    return table


CONTENT: Final[Mapping[str, ContentTreatment]] = _table()
"""Bot API: Message, all fields that are not in ``fields.MESSAGE``."""

SPEAKING_FILES: Final = frozenset({"document", "photo", "live_photo", "voice", "audio", "video", "video_note"})
"""Fields of files that are a question by themselves in a group whose messages are all answered.

A sticker or an animation is a gesture there; an animation is a document as well (Bot API: Message).
"""
