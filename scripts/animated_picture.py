"""Draw ``docs/images/chat.gif``: an admin approves a person and asks a question, on the chat page of the emulator.

The bot is the real one; a provider with a written answer stands in for a language model. Needs Chromium and Pillow.
"""

import asyncio
import io
import re
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from chromium import Page, open_page
from tgllm.api import ChatRequest, Finished, ModelInfo, StreamEvent, TextDelta
from tgllm.api.clock import SystemClock
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.bots import new_token
from tgllm.testing.scripted import ScriptedProvider

TARGET: Final = Path(__file__).resolve().parent.parent / "docs" / "images" / "chat.gif"
WIDTH, HEIGHT = 400, 640
FRAME_SECONDS: Final = 0.15
WORD_SECONDS: Final = 0.09
COLORS: Final = 96
LAST_SECONDS: Final = 4.0

QUESTION: Final = "We are five tonight and want pizza. How much of what for the dough?"
ANSWER: Final = """
For **five pizzas** of 260 g each:

| | grams | notes |
| :--- | ---: | --- |
| flour | 780 | type 00 or bread |
| water | 507 | cold |
| salt | 20 | fine |
| dry yeast | 2 | a pinch |

The water is *65 %* of the flour:

$$\\frac{507}{780} = 0.65$$

Let it rise **six hours**. Shall I add a shopping list?
"""


class Guide(ScriptedProvider):
    """Provider whose only answer appears word by word."""

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the only model."""
        return (ModelInfo("model"),)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Yield the words of the answer."""
        self.requests.append(request)
        for word in re.findall(r"\S+\s*", ANSWER.strip()):
            await asyncio.sleep(WORD_SECONDS)
            yield TextDelta(word)
        yield Finished()


@dataclass(slots=True)
class Film:
    """Recording of a page."""

    page: Page
    frames: list[tuple[float, bytes]]

    async def record(self) -> None:
        """Take pictures until cancelled."""
        clock = SystemClock()
        while True:
            self.frames.append((clock.monotonic(), await self.page.picture()))
            await clock.sleep(FRAME_SECONDS)


async def main() -> None:
    """Act, record and write the picture."""
    with tempfile.TemporaryDirectory(prefix="tgllm-picture-") as folder:
        async with Emulator(username="family_bot", token=new_token()) as emulator:
            ann = emulator.add_user(first_name="Ann", language_code="en")
            eve = emulator.add_user(first_name="Eve", language_code="en")
            chat = ann.private_chat()
            bot = running_bot(emulator, Path(folder), admins=[ann.id], provider=Guide(), streaming__draft_interval=0.3)
            page = open_page(f"{emulator.page_url}&user={ann.id}", width=WIDTH, height=HEIGHT, scale=1.5)
            async with bot, page as shown:
                await shown.call("Runtime.evaluate", expression="document.documentElement.dataset.theme = 'light'")
                film = Film(shown, [])
                await ann.say("/ping")
                await emulator.wait_for_message(chat, timeout=30)
                await asyncio.sleep(1.0)
                recording = asyncio.create_task(film.record())
                await asyncio.sleep(0.8)
                await eve.say("/start It's me, Eve")
                card = await emulator.wait_for_message(chat, lambda it: bool(it.buttons), timeout=30)
                await asyncio.sleep(1.8)
                await ann.press(card, card.buttons[0].text)
                await asyncio.sleep(1.5)
                await ann.say(QUESTION)
                await emulator.wait_for_message(chat, lambda it: "shopping list" in it.text, timeout=60)
                await asyncio.sleep(1.0)
                recording.cancel()
                with suppress(asyncio.CancelledError):
                    await recording
    write(film.frames)


def write(frames: Sequence[tuple[float, bytes]]) -> None:
    """Write the frames as one animated picture; frames that look the same are one."""
    shown = list(different(frames))
    pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data, _ in shown]
    milliseconds = [round(seconds * 1000) for _, seconds in shown]
    palette = pictures[-1].quantize(COLORS, method=Image.Quantize.MEDIANCUT)
    drawn = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    drawn[0].save(TARGET, save_all=True, append_images=drawn[1:], duration=milliseconds, loop=0, optimize=True)
    print(f"{TARGET.name}: {len(drawn)} frames, {sum(milliseconds) / 1000:.0f} s, {TARGET.stat().st_size // 1024} KiB")


def different(frames: Sequence[tuple[float, bytes]]) -> Iterator[tuple[bytes, float]]:
    """Yield each picture that differs from the one before, and the seconds that it is shown."""
    kept = [frame for at, frame in enumerate(frames) if at == 0 or frame[1] != frames[at - 1][1]]
    for (at, data), following in zip(kept, [*kept[1:], None], strict=True):
        yield data, LAST_SECONDS if following is None else following[0] - at


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
