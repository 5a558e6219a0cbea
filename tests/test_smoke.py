"""The program as people start it, against an emulated Telegram over HTTP."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from program_support import PATIENCE, Launch
from tgllm.db.connection import get_db
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def ann(emu: Emulator) -> EmulatedUser:
    return emu.add_user(first_name="Ann")


async def test_tgllm_run_answers_ping_and_stops_in_order(emu: Emulator, ann: EmulatedUser, launch: Launch) -> None:
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    await ann.say("/ping")
    answer = await emu.wait_for_message(ann.private_chat(), timeout=PATIENCE)
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert answer.text == "Bot ready"
    assert code == 0, printed
    lines = [json.loads(line) for line in printed.splitlines()]
    assert lines[-1]["event"] == "bot.stopped"
    assert emu.token not in printed


async def test_ctrl_c_stops_it_too(emu: Emulator, ann: EmulatedUser, launch: Launch) -> None:
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    await ann.say("/ping")
    await emu.wait_for_message(ann.private_chat(), timeout=PATIENCE)
    bot.send(signal.SIGINT)
    code, printed = await bot.end()
    assert code == 0, printed


@pytest.fixture
def hang_up() -> Iterator[Callable[[signal.Handlers], object]]:
    """What programs that are started from now on do when their terminal is closed."""
    before = signal.getsignal(signal.SIGHUP)
    yield lambda action: signal.signal(signal.SIGHUP, action)
    signal.signal(signal.SIGHUP, before)


async def test_the_end_of_its_terminal_stops_it_too(
    emu: Emulator, ann: EmulatedUser, launch: Launch, hang_up: Callable[[signal.Handlers], object]
) -> None:
    hang_up(signal.SIG_DFL)
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), TGLLM_PLUGINS__ECHO__DELAY="0.1")
    await ann.say("this answer is finished first")
    await emu.wait_for_draft(ann.private_chat(), lambda draft: "this" in draft.text, timeout=PATIENCE)
    bot.send(signal.SIGHUP)
    await bot.printed("bot.stopping")
    # A terminal that is closed sends it twice: by its shell, and by the system when that has ended.
    bot.send(signal.SIGHUP)
    code, printed = await bot.end()
    assert code == 0, printed
    assert (await emu.wait_for_message(ann.private_chat())).text == "this answer is finished first"


async def test_a_bot_that_is_to_outlive_its_terminal_does(
    emu: Emulator, ann: EmulatedUser, launch: Launch, hang_up: Callable[[signal.Handlers], object]
) -> None:
    hang_up(signal.SIG_IGN)
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    await bot.printed("bot.ready")
    bot.send(signal.SIGHUP)
    await ann.say("/ping")
    assert (await emu.wait_for_message(ann.private_chat(), timeout=PATIENCE)).text == "Bot ready"
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed


async def test_a_second_signal_ends_it_at_once(emu: Emulator, ann: EmulatedUser, launch: Launch) -> None:
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), TGLLM_PLUGINS__ECHO__DELAY="60")
    await ann.say("never ending")
    await emu.wait_for_draft(ann.private_chat(), lambda draft: "never" in draft.text, timeout=PATIENCE)
    bot.send(signal.SIGTERM)
    await bot.printed("bot.stopping")
    bot.send(signal.SIGTERM)
    code, _ = await bot.end()
    assert code == 128 + signal.SIGTERM


async def test_a_killed_bot_answers_every_message_once_after_its_restart(
    emu: Emulator, ann: EmulatedUser, launch: Launch
) -> None:
    questions = [f"question number {number}" for number in range(5)]
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), TGLLM_PLUGINS__ECHO__DELAY="30")
    for question in questions:
        await ann.say(question)
    await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text.strip() == "question", timeout=PATIENCE)
    await emu.wait_for(lambda: not emu.bot.queue.pending, timeout=PATIENCE)
    bot.send(signal.SIGKILL)
    assert (await bot.end())[0] == -signal.SIGKILL
    assert not [message for message in ann.private_chat().messages if message.from_bot]

    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    chat = ann.private_chat()
    await emu.wait_for_message(
        chat, lambda message: message.from_bot and message.text == questions[-1], timeout=PATIENCE
    )
    bot.send(signal.SIGTERM)
    assert (await bot.end())[0] == 0
    assert chat.bot_texts == questions


@pytest.mark.parametrize(("by", "answer"), [("retry", "two words"), ("edit", "two others")])
async def test_a_bot_killed_while_it_asks_again_answers_every_message_once_after_its_restart(
    emu: Emulator, ann: EmulatedUser, launch: Launch, tmp_path: Path, by: str, answer: str
) -> None:
    chat = ann.private_chat()
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    question = await ann.say("two words")
    await emu.wait_for_message(chat, lambda message: message.from_bot, timeout=PATIENCE)
    bot.send(signal.SIGTERM)
    assert (await bot.end())[0] == 0

    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), TGLLM_PLUGINS__ECHO__DELAY="30")
    await (ann.say("/retry") if by == "retry" else ann.edit(question, answer))
    await ann.say("one more")
    await emu.wait_for_draft(chat, lambda draft: draft.text.strip() == "two", timeout=PATIENCE)
    await emu.wait_for(lambda: not emu.bot.queue.pending, timeout=PATIENCE)
    bot.send(signal.SIGKILL)
    assert (await bot.end())[0] == -signal.SIGKILL

    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "one more", timeout=PATIENCE)
    bot.send(signal.SIGTERM)
    assert (await bot.end())[0] == 0
    answers = chat.bot_texts
    assert answers == ["two words", answer, "one more"]
    async with get_db(tmp_path / "data" / "tgllm.db") as conn:
        said = await conn.execute_fetchall("SELECT parent_id, role, text FROM messages ORDER BY id")
    assert [tuple(row) for row in said] == [
        (None, "user", "two words"),
        (1, "assistant", "two words"),
        (None, "user", answer),
        (3, "assistant", answer),
        (4, "user", "one more"),
        (5, "assistant", "one more"),
    ]


async def test_what_was_stored_before_the_kill_is_sent_and_not_asked_for_again(
    emu: Emulator, ann: EmulatedUser, launch: Launch, tmp_path: Path
) -> None:
    held = emu.faults.add(Fault.hold("sendMessage"))
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    await ann.say("under way")
    await ann.say("stored")
    await bot.printed("turn.answered", times=2)
    await held.reached.wait()
    bot.send(signal.SIGKILL)
    await bot.end()

    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    await emu.wait_for_message(
        ann.private_chat(), lambda message: message.from_bot and message.text == "stored", timeout=PATIENCE
    )
    bot.send(signal.SIGTERM)
    assert (await bot.end())[0] == 0
    assert ann.private_chat().bot_texts == ["under way", "stored"]
    async with get_db(tmp_path / "data" / "tgllm.db") as conn, conn.execute("SELECT count(*) FROM requests") as found:
        row = await found.fetchone()
    assert row is not None
    assert tuple(row) == (2,)


async def test_a_second_bot_on_the_same_data_is_refused(emu: Emulator, ann: EmulatedUser, launch: Launch) -> None:
    first = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    await ann.say("/ping")
    await emu.wait_for_message(ann.private_chat(), timeout=PATIENCE)
    second = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    code, printed = await second.end()
    assert code == 1
    assert str(first.pid) in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("args", [("ping",), ("--ping",)])
async def test_ping_from_the_shell(launch: Launch, args: tuple[str, ...]) -> None:
    code, printed = await (await launch(*args)).end()
    warning, ready = printed.splitlines()
    assert (code, ready) == (0, "Bot ready")
    assert "Only the echo provider answers" in warning


async def test_ping_without_a_token_says_what_to_do_next(launch: Launch) -> None:
    code, printed = await (await launch("--ping", TGLLM_BOT_TOKEN="")).end()
    assert (code, printed.splitlines()[-1]) == (0, "Bot ready (no token yet: run tgllm init)")


async def test_a_wrong_token_ends_it_with_a_sentence(launch: Launch) -> None:
    code, printed = await (await launch("run", TGLLM_BOT_TOKEN="43:WRONG")).end()
    assert code == 1
    assert "BotFather" in printed
    assert "Traceback" not in printed
    assert "43:WRONG" not in printed


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"TGLLM_BOT_TOKEN": ""}, ["TGLLM_BOT_TOKEN"]),
        ({"TGLLM_ADMIN_IDZ": "1"}, ["TGLLM_ADMIN_IDZ", "TGLLM_ADMIN_IDS"]),
        ({"TGLLM_ADMIN_IDS": "@ann"}, ["@ann"]),
    ],
    ids=["no token", "mistyped name", "no id"],
)
async def test_a_wrong_setting_is_one_sentence(launch: Launch, variables: dict[str, str], words: list[str]) -> None:
    code, printed = await (await launch("run", **variables)).end()
    assert code == 2
    assert "Traceback" not in printed
    for word in words:
        assert word in printed


async def test_files_that_others_can_read_are_logged_at_the_start(launch: Launch, tmp_path: Path) -> None:
    data = tmp_path / "open"
    data.mkdir()
    data.chmod(0o755)
    bot = await launch("run", TGLLM_DATA_DIR=str(data))
    await bot.printed("files.exposed")
    line = next(json.loads(line) for line in bot.lines if "files.exposed" in line)
    bot.send(signal.SIGTERM)
    await bot.end()
    assert (line["level"], line["path"], line["problem"]) == ("warning", str(data), "readable")
    assert line["mend_with"] == f"chmod o-rwx {data}"
