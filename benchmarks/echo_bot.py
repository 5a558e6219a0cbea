"""``python -m benchmarks.echo_bot``: the simplest bot; it echoes each message."""

from aiogram.types import Message

from benchmarks.bare_bot import run


async def _echo(message: Message) -> None:
    await message.answer(message.text or "")


if __name__ == "__main__":
    run(_echo)
