"""One question from the command line, and what scripts see of it (chat-in-the-terminal.md)."""

import asyncio
import json
import signal

import pytest

from cli_support import Shell
from program_support import PATIENCE, Launch
from terminal_support import MODEL, Chat, asked
from tgllm.api import FileDelta, Usage
from tgllm.cli.chat.saved import save
from tgllm.services.files.made import keep_made
from tgllm.services.files.storage.store import FileStorage
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.fake_providers import FakeMistral, Signal

pytestmark = pytest.mark.timeout(300)


async def test_what_is_piped_in_follows_the_question(chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(["It is ", "fine."])

    ended = await chat.runs("review this", given=b"+ a line\n- another\n")

    assert ended == (type(ended))(0, "It is fine.\n", "")
    assert asked(mistral) == ["review this\n\n+ a line\n- another\n"]


async def test_a_script_gets_one_object_of_json(chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(["Four."], reasoning="Two and two.", usage=Usage(100, 20, 6, 0))
    prices = json.dumps({MODEL: {"input": 2.0, "output": 10.0}})

    ended = await chat.runs("--json", given=b"What is 2 + 2?", TGLLM_PRICES=prices)

    found = json.loads(ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert (found["text"], found["model"], found["status"], found["error"]) == ("Four.", MODEL, "ok", None)
    assert (found["usage"]["input_tokens"], found["cost_usd"]) == (100, 0.0004)
    assert found["reasoning"] == "Two and two."


async def test_the_next_command_goes_on_if_asked_to(chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(["Blue."])
    mistral.answer(["Blue, I said."])
    mistral.answer(["Who knows."])

    await chat.runs("My colour is?", "-s", "Be short.")
    await chat.runs("-c", "What did you say?")
    assert asked(mistral) == ["Be short.", "My colour is?", "Blue.", "What did you say?"]

    await chat.runs("What did you say?")
    assert asked(mistral) == ["What did you say?"]


async def test_it_is_no_person_s_and_counts_on_the_bot(chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(["Yes."], usage=Usage(10, 5))

    await chat.runs("hi")

    assert (
        chat.rows("SELECT user_id, telegram_chat_id FROM messages") == [{"user_id": None, "telegram_chat_id": None}] * 2
    )
    (usage,) = chat.rows("SELECT user_id, input_tokens, output_tokens FROM usage")
    assert usage == {"user_id": 0, "input_tokens": 10, "output_tokens": 5}
    for table in ("users", "outbox", "groups"):
        assert chat.rows(f"SELECT * FROM {table}") == []
    listed = await chat.runs("--json", command="usage")
    assert listed.code == 0, listed.err


async def test_the_budget_of_the_bot_is_kept(chat: Chat, mistral: FakeMistral) -> None:
    budget = json.dumps({"requests_per_day": 1})
    mistral.answer(["Yes."])

    first = await chat.runs("hi", TGLLM_BUDGETS__BOT=budget)
    second = await chat.runs("hi", TGLLM_BUDGETS__BOT=budget)

    assert first.code == 0, first.err
    assert (second.code, second.out) == (1, "")
    assert len([each for each in mistral.requests if each.method == "POST"]) == 1


async def test_files_go_along_and_errors_are_told_for_each(chat: Chat, mistral: FakeMistral) -> None:
    (chat.folder / "notes.txt").write_text("The code word is walrus.", encoding="utf-8")
    (chat.folder / "broken.pdf").write_bytes(b"%PDF-1.7\nno pages")
    mistral.answer(["Walrus."])

    ended = await chat.runs("What is the code word?", "notes.txt", "broken.pdf")

    assert (ended.code, ended.out) == (1, "Walrus.\n")
    assert "walrus" in asked(mistral)[-1]
    assert "broken.pdf" in ended.err.split("Reading broken.pdf")[-1]


async def test_much_text_becomes_a_file(chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(["Ok."])
    lines = b"".join(b"line %d of the log\n" % number for number in range(60_000))

    ended = await chat.runs("Which line is the last?", given=lines)

    assert (ended.code, ended.out) == (0, "Ok.\n")
    assert "stdin.txt is longer than fits" in ended.err
    assert "Which line is the last?" in asked(mistral)[-1]
    assert len(asked(mistral)[-1]) < len(lines) // 2


async def test_what_is_no_text_is_refused_or_seen(chat: Chat, mistral: FakeMistral) -> None:
    ended = await chat.runs("What is this?", given=bytes(range(256)) * 20)

    # The model may still answer the words of the question, but a script is to notice that it has not seen the rest.
    assert ended.code == 1
    assert "stdin" in ended.err
    assert "-m PROVIDER/MODEL" in ended.err
    assert "/model" not in ended.err
    assert "\\x00" not in str(mistral.requests[-1].body if mistral.requests else "")


@pytest.mark.parametrize("question", [(), ("What is this?",)], ids=["alone", "with words"])
@pytest.mark.parametrize("name", ["photo.png", "data.bin"])
async def test_a_file_that_the_model_cannot_take_names_the_option(
    chat: Chat, mistral: FakeMistral, name: str, question: tuple[str, ...]
) -> None:
    content = b"\x89PNG\r\n\x1a\n" if name == "photo.png" else b""
    (chat.folder / name).write_bytes(content + bytes(range(256)) * 20)
    mistral.answer(["I don't see it."])

    ended = await chat.runs(*question, "-f", name, *(() if question else ("-q", "?")))

    assert ended.code == 1
    assert name in ended.err
    assert "/model" not in ended.err


async def test_escape_sequences_of_a_model_are_shown(chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(["a\x1b]52;c;", "AAAA\x07b\n", "next\u202e"])

    ended = await chat.runs("hi")

    assert ended.out == "a\\x1b]52;c;AAAA\\x07b\nnext\\u202e\n"


async def test_joined_letters_stay_joined(chat: Chat, mistral: FakeMistral) -> None:
    family = "👩\u200d👩\u200d👧"
    mistral.answer([f"A {family[:2]}", family[2:], " and so on"])

    assert (await chat.runs("hi")).out == f"A {family} and so on\n"


async def test_a_failure_is_a_sentence_and_exit_code_1(chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(error=mistral.errors.wrong_key(mistral.key))

    ended = await chat.runs("hi")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("tgllm: ")
    assert mistral.key not in ended.err


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["-m", "nobody/x", "hi"], 1, "no provider is called"),
        (["gemini/flash", "hi"], 1, "set GEMINI_API_KEY"),
        (["-f", "nothing.pdf", "hi"], 2, "no file nothing.pdf"),
        (["-f", ".", "hi"], 2, "is a folder"),
        (["-p", "pirate", "hi"], 2, "no persona pirate"),
        (["-c", "hi"], 2, "no conversation"),
        ([], 2, "no question"),
    ],
)
def test_what_is_wrong_is_told(shell: Shell, args: list[str], code: int, words: str) -> None:
    ended = shell.runs("chat", *args)

    assert (ended.code, ended.out) == (code, ""), ended.err
    assert words in ended.err
    assert "Traceback" not in ended.err


async def test_without_any_setup_echo_answers_and_says_so(chat: Chat) -> None:
    variables = dict.fromkeys(("TGLLM_DEFAULT_MODEL", "MISTRAL_API_KEY"), "")

    ended = await chat.runs("hello", **variables)

    assert (ended.code, ended.out) == (0, "hello\n")
    assert "Only the echo provider answers" in ended.err


async def test_ctrl_c_keeps_what_came(chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(["The beginning ", asyncio.Event(), "the end"])
    process = await chat.begins("hi")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    assert await process.stdout.readexactly(len("The beginning ")) == b"The beginning "

    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.wait(), PATIENCE)

    assert process.returncode == 130
    answer = chat.rows("SELECT text, status FROM messages WHERE role = 'assistant'")
    assert answer == [{"text": "The beginning ", "status": "stopped"}]


async def test_a_shutdown_keeps_what_came(chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(["The beginning ", asyncio.Event(), "the end"])
    process = await chat.begins("hi")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    await process.stdout.readexactly(len("The beginning "))

    process.terminate()
    await asyncio.wait_for(process.wait(), PATIENCE)

    assert process.returncode == 128 + signal.SIGTERM
    assert chat.rows("SELECT status FROM messages WHERE role = 'assistant'") == [{"status": "partial"}]


async def test_an_output_that_is_closed_ends_the_answer(chat: Chat, mistral: FakeMistral) -> None:
    go_on = asyncio.Event()
    mistral.answer(["one\n", go_on, *[f"line {number}\n" for number in range(2000)], asyncio.Event(), "end"])
    process = await chat.begins("hi")
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.close()
    await process.stdout.readline()

    process.stdout._transport.close()  # type: ignore[attr-defined]  asyncio has no public way to close the reading end
    go_on.set()
    err = await asyncio.wait_for(process.stderr.read(), PATIENCE)
    await asyncio.wait_for(process.wait(), PATIENCE)

    assert process.returncode == 1
    assert b"Traceback" not in err
    assert chat.rows("SELECT status FROM messages WHERE role = 'assistant'") == [{"status": "stopped"}]


async def test_two_commands_at_once_have_a_conversation_each(chat: Chat, mistral: FakeMistral) -> None:
    await chat.runs("first")  # makes the database

    await asyncio.gather(*(chat.runs(f"question {number}") for number in range(3)))

    rows = chat.rows("SELECT conversation_id, text FROM messages WHERE role = 'user'")
    assert len({row["conversation_id"] for row in rows}) == 4


async def test_a_picture_of_the_model_is_saved_and_named(chat: Chat) -> None:
    made, _ = await keep_made(
        [FileDelta(b"GIF89a12", "image/gif", "../cat.gif"), FileDelta(b"x", "text/x", None)], FileStorage(chat.folder)
    )
    (chat.folder / "cat.gif").write_text("mine", encoding="utf-8")

    paths = save(made, chat.folder)

    assert [path.name for path in paths] == ["cat-2.gif", "file-2.bin"]
    assert paths[0].read_bytes() == b"GIF89a12"
    assert (chat.folder / "cat.gif").read_text(encoding="utf-8") == "mine"


async def test_a_bot_may_run_on_the_same_data_folder(
    chat: Chat, mistral: FakeMistral, emu: Emulator, ann: EmulatedUser, launch: Launch
) -> None:
    private = ann.private_chat()
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), TGLLM_DEFAULT_MODEL="echo/echo")
    await emu.wait_for_message(private, timeout=PATIENCE, after=await ann.say("hello"))
    part = chat.folder / "data" / "files" / "x.part"
    part.parent.mkdir(exist_ok=True)
    part.write_bytes(b"what the bot is downloading")
    (chat.folder / "notes.txt").write_text("The code word is walrus.", encoding="utf-8")
    mistral.answer(["Walrus."])

    ended = await chat.runs("The word?", "notes.txt")
    answer = await emu.wait_for_message(private, timeout=PATIENCE, after=await ann.say("and now"))
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()

    assert (ended.code, ended.out) == (0, "Walrus.\n"), ended.err
    assert part.exists()
    assert answer.text == "and now"
    assert code == 0, printed


async def test_a_connection_that_is_cut_keeps_what_came(chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(["The beginning ", Signal.CUT])

    ended = await chat.runs("hi")

    assert (ended.code, ended.out) == (1, "The beginning \n")
    assert ended.err.startswith("tgllm: ")
    assert chat.rows("SELECT text, status FROM messages WHERE role = 'assistant'") == [
        {"text": "The beginning ", "status": "partial"}
    ]
