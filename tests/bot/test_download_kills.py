"""kill -9 in the middle of a download: the turn goes on after the restart, with the file and one answer."""

import signal

import pytest

from program_support import PATIENCE, Launch
from tgllm.testing.emulator import DownloadFault, EmulatedUser, Emulator

TEXT = b"The boat sails at nine.\n" * 20_000


@pytest.mark.once
@pytest.mark.timeout(300)
@pytest.mark.parametrize("after", [0, 200_000])
async def test_a_kill_while_downloading_loses_nothing(
    emu: Emulator, ann: EmulatedUser, launch: Launch, after: int
) -> None:
    settings = {"TGLLM_ADMIN_IDS": str(ann.id)}
    held = emu.downloads.add_fault(DownloadFault.hold(after))
    await ann.upload(TEXT, name="plan.txt", mime="text/plain", caption="When does it sail?")
    bot = await launch("run", **settings)
    await emu.wait_for(held.reached.is_set, timeout=PATIENCE)
    bot.send(signal.SIGKILL)
    await bot.end()
    emu.downloads.clear_faults()

    bot = await launch("run", **settings)
    chat = ann.private_chat()
    await emu.wait_for_message(chat, lambda m: m.from_bot and "When does it sail?" in m.text, timeout=PATIENCE)
    bot.send(signal.SIGTERM)
    assert (await bot.end())[0] == 0
    assert sum("When does it sail?" in text for text in chat.bot_texts) == 1
    assert [each.sent for each in emu.downloads][-1] == len(TEXT) - emu.downloads[-1].start
    assert len(emu.downloads) == len(emu.journal.of("getFile")) == 2
