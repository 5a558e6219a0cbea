"""Messages that plugins send, edit and delete by themselves."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tgllm.api.errors import ChatUnavailable
from tgllm.api.people import ChatInfo, UserInfo

if TYPE_CHECKING:
    from tgllm.api.commands import Reply

__all__ = ["ChatRef", "Chats", "SentMessage"]

ChatRef: TypeAlias = ChatInfo | UserInfo | int
"""A chat: as in ``CommandCall.chat``; the private chat of a person; or Telegram's id, which for a private chat is the
id of the person. An id alone means no topic: use a ``ChatInfo`` with ``topic_id`` for one."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A reply that the plugin has sent, as one or more messages of Telegram."""

    id: int
    """Id to store for ``Chats.edit`` and ``Chats.delete``; it is not Telegram's."""
    chat_id: int
    is_new: bool = True
    """Whether it was sent by this call; False if the key was used before."""


class Chats(Protocol):
    """Sender of a plugin's messages through the bot's durable outbox.

    A message is stored when a call returns: it survives a crash, and is sent as soon as Telegram's limits allow. A
    message to the chat of the command or press that is being handled is sent like a reply; all others are sent in the
    background, after people's answers.
    """

    async def send(
        self, chat: ChatRef, reply: "Reply | str", *, key: str | None = None, recipient: UserInfo | int | None = None
    ) -> SentMessage:
        """Send a message.

        Args:
            chat: where to.
            reply: the text, files and buttons.
            key: name of the message, 1-200 characters: a second call with it sends nothing, whatever its text, and
                returns the first message. Each plugin has keys of its own; they are kept for
                ``retention.plugin_messages_days``.
            recipient: the person for whom it is in a group, for buttons that only they may press.

        Raises:
            ChatUnavailable: the bot may not write there; nothing is sent.
            PluginError: the reply can't be sent, such as one without text and files.
        """
        ...

    async def edit(self, message: SentMessage | int, reply: "Reply | str") -> bool:
        """Replace the text and the buttons of a message of this plugin, also if it is not sent yet.

        Buttons that the new reply does not have are removed. Files of the message stay; those of the new reply are sent
        after it.

        Args:
            message: the message, or its id.
            reply: its new content, with a text.

        Returns:
            False if this plugin has no such message any more.

        Raises:
            ChatUnavailable: the bot may not write there any more.
            PluginError: the reply can't be sent.
        """
        ...

    async def delete(self, message: SentMessage | int) -> bool:
        """Delete a message of this plugin, with all its parts; Telegram refuses it after 48 hours.

        Returns:
            False if this plugin has no such message any more.
        """
        ...


class NoChats:
    """Refuses all messages: the program is not a running bot."""

    async def send(
        self,
        chat: ChatRef,  # noqa: ARG002  as in the protocol
        reply: "Reply | str",  # noqa: ARG002  as in the protocol
        *,
        key: str | None = None,  # noqa: ARG002  as in the protocol
        recipient: UserInfo | int | None = None,  # noqa: ARG002  as in the protocol
    ) -> SentMessage:
        """Raise ChatUnavailable."""
        raise ChatUnavailable(reason="no_bot")

    async def edit(self, message: SentMessage | int, reply: "Reply | str") -> bool:  # noqa: ARG002  as in the protocol
        """Raise ChatUnavailable."""
        raise ChatUnavailable(reason="no_bot")

    async def delete(self, message: SentMessage | int) -> bool:  # noqa: ARG002  as in the protocol
        """Raise ChatUnavailable."""
        raise ChatUnavailable(reason="no_bot")
