"""The notice about a message of which nobody knows whether it arrived."""

from tgllm.bot.messages import buttons, message_rows
from tgllm.db.outbox import NewOutbox, OutboxRow
from tgllm.i18n import Catalogue
from tgllm.services.lane import Lane

__all__ = ["KEEP", "RESEND", "uncertain_notice"]

RESEND = "resend"
"""First word of the callback data of the button that sends a message again; the outbox row's id follows a colon."""
KEEP = "keep"
"""The same for the button that says it has arrived."""


def uncertain_notice(row: OutboxRow, texts: Catalogue) -> NewOutbox:
    """The message that offers to send ``row`` again, in the bot's own language: whose answer it was is not known."""
    markup = buttons(
        [[(texts("send.button_resend"), f"{RESEND}:{row.id}"), (texts("send.button_drop"), f"{KEEP}:{row.id}")]]
    )
    return message_rows(Lane.parse(row.lane), texts("send.uncertain"), reply_markup=markup)[0]
