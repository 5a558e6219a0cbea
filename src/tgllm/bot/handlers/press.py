"""Button presses, run from the press table."""

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import CallbackQuery, InaccessibleMessage

from tgllm.bot.handlers.strangers import forget_update
from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import may_use
from tgllm.bot.ui.press_table import MOST_TOAST, Pressed, PressTable
from tgllm.observe.logs import get_logger
from tgllm.services.common.text import clip

__all__ = ["PressHandler"]

log = get_logger(__name__)


class PressHandler:
    """Handler of button presses."""

    def __init__(self, table: PressTable) -> None:
        self._table = table

    async def handle(self, event: CallbackQuery, scope: Scope) -> None:
        """Run the action of the button. Unknown callback data is answered and otherwise ignored."""
        answer = _Answer(scope.parts.bot, event.id)
        try:
            text = await self._act(event, scope, answer)
        except Exception:
            # The chat gets the error message.
            await answer("")
            raise
        await answer(text)

    async def _act(self, event: CallbackQuery, scope: Scope, answer: "_Answer") -> str:
        action, argument = self._table.find(event.data or "")
        if action is None:
            return ""
        if not may_use(scope.user, action.access):
            return scope.text(f"access.not_{action.access}")
        message = event.message
        if scope.is_misplaced:
            await forget_update(scope)
            return scope.text("press.not_here")
        if isinstance(message, InaccessibleMessage) and action.needs_place:
            return scope.text("press.too_old")
        message_id = None if message is None else message.message_id
        is_inaccessible = isinstance(message, InaccessibleMessage)
        return await action.run(scope, Pressed(argument, message_id, answer, is_inaccessible))


class _Answer:
    """Answers a press, once; until then clients show the button as busy."""

    def __init__(self, bot: Bot, press_id: str) -> None:
        self._bot = bot
        self._press_id = press_id
        self._given = False

    async def __call__(self, text: str, *, alert: bool = False) -> None:
        if self._given:
            return
        self._given = True
        shown = clip(text, MOST_TOAST) or None
        try:
            await self._bot.answer_callback_query(self._press_id, text=shown, show_alert=alert or None)
        except AiogramError as error:
            # Telegram accepts no answer to an old press.
            log.info("press.not_answered", error=type(error).__name__)
