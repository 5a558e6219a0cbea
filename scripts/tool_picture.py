"""Draw ``docs/images/tools.png``: a tool that asks before it is used, on the chat page of the demo. Needs Chromium."""

import asyncio
import sys
from pathlib import Path
from typing import Final

from chromium import open_page
from tgllm.testing.demo import open_demo

TARGET: Final = Path(__file__).resolve().parent.parent / "docs" / "images" / "tools.png"
WIDTH, HEIGHT = 420, 1180
DRAW_SECONDS: Final = 1.5
WAIT_SECONDS: Final = 30.0


async def main() -> None:
    """Ask, approve and write the picture."""
    async with open_demo(model="echo") as demo:
        ann, chat, emulator = demo.ann, demo.ann.private_chat(), demo.emulator
        async with open_page(f"{demo.page_url}&user={ann.id}", width=WIDTH, height=HEIGHT, scale=1.2) as page:
            await page.call("Runtime.evaluate", expression="document.documentElement.dataset.theme = 'light'")
            asked = await ann.say("What is 17% of 2340, and what day is it in Tokyo?")
            await emulator.wait_for_message(
                chat, lambda it: "Regenerate" in it.labels, after=asked, timeout=WAIT_SECONDS
            )
            asked = await ann.say("Order a pizza for me")
            await emulator.wait_for_message(chat, lambda it: bool(it.buttons), after=asked, timeout=WAIT_SECONDS)
            await asyncio.sleep(DRAW_SECONDS)
            TARGET.write_bytes(await page.picture())


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
