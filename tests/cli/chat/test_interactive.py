"""The interactive chat in a terminal (chat-in-the-terminal.md)."""

import asyncio
import signal

import pytest

from program_support import PATIENCE
from terminal_support import MODEL, Chat, TerminalProgram, Terminals, asked
from tgllm.testing.fake_providers import FakeMistral

pytestmark = pytest.mark.timeout(300)

PROMPT = "> "


async def say(program: TerminalProgram, text: str) -> None:
    program.types(text + "\r")


async def test_a_conversation(terminal: Terminals, chat: Chat, mistral: FakeMistral) -> None:
    mistral.answer(["It is **four**."])
    mistral.answer(["Sure."])
    program = await terminal()
    await program.shows(f"{MODEL} answers")
    await program.shows(PROMPT)

    await say(program, "What is 2 + 2?")
    shown = await program.shows("tokens:")
    await program.shows(PROMPT)
    await say(program, "Sure?")
    await program.shows("Sure.")
    await program.shows(PROMPT)
    program.types("\x04")

    assert await program.end() == 0
    assert "\x1b[1mfour" in shown
    assert asked(mistral) == ["What is 2 + 2?", "It is **four**.", "Sure?"]
    # A second chat does not go on by itself, and has what was typed.
    assert len((chat.folder / "data" / "chat_history").read_text(encoding="utf-8").splitlines()) == 2


async def test_ctrl_c_stops_the_answer_and_the_chat_goes_on(
    terminal: Terminals, chat: Chat, mistral: FakeMistral
) -> None:
    mistral.answer(["The beginning ", asyncio.Event(), "the end"])
    mistral.answer(["Next."])
    program = await terminal()
    await program.shows(PROMPT)
    before = program.modes

    await say(program, "Tell me all")
    await program.shows("The beginning")
    program.types("\x03")
    await program.shows(PROMPT)
    await say(program, "And now?")
    await program.shows("Next.")
    await program.shows(PROMPT)
    assert program.modes == before
    program.types("half a line\x03")
    await program.shows("Ctrl-D or /exit ends the chat")
    await program.shows(PROMPT)
    program.types("\x04")

    assert await program.end() == 0
    assert asked(mistral) == ["Tell me all", "The beginning ", "And now?"]
    assert chat.rows("SELECT status FROM messages WHERE role = 'assistant'") == [
        {"status": "stopped"},
        {"status": "complete"},
    ]


async def test_messages_of_several_lines(terminal: Terminals, mistral: FakeMistral) -> None:
    program = await terminal()
    await program.shows(PROMPT)

    await say(program, "one\\")
    await say(program, "two")
    await program.shows("tokens:")
    assert asked(mistral)[-1] == "one\ntwo"

    await say(program, '"""a')
    await say(program, "")
    await say(program, 'b"""')
    await program.shows("tokens:")
    assert asked(mistral)[-1] == "a\n\nb"

    program.types("\x1b[200~pasted\nlines\x1b[201~\r")
    await program.shows("tokens:")
    assert asked(mistral)[-1] == "pasted\nlines"


async def test_commands(terminal: Terminals, chat: Chat, mistral: FakeMistral) -> None:
    (chat.folder / "my notes.txt").write_text("The code word is walrus.", encoding="utf-8")
    program = await terminal()
    await program.shows(PROMPT)

    await say(program, "/modle")
    await program.shows("Did you mean /model?")
    await say(program, "/xyzzy")
    await program.shows("There is no command /xyzzy; see /help")
    await say(program, "/help")
    await program.shows("/file PATH")
    await say(program, "/retry")
    await program.shows("no question yet")
    await say(program, "/model nobody/x")
    await program.shows("no provider is called")
    await say(program, "/model mistral/codestral-2508")
    await program.shows("Model: mistral/codestral-2508")
    await say(program, "/system Be short.")
    await program.shows("Instruction: Be short.")
    await say(program, "/file nothing.txt")
    await program.shows("There is no file nothing.txt")
    await say(program, "/file my notes.txt")
    await program.shows("With the next question: my notes.txt")
    await say(program, "The word?")
    await program.shows("tokens:")
    system, question = asked(mistral)
    assert "Be short." in system
    assert "walrus" in question
    assert "The word?" in question

    await say(program, "/retry")
    await program.shows("tokens:")
    assert "walrus" in asked(mistral)[-1]
    await say(program, "/clear")
    await program.shows("is forgotten")
    await say(program, " /etc is a folder?")
    await program.shows("tokens:")
    assert asked(mistral) == ["Be short.", " /etc is a folder?"]
    body = mistral.requests[-1].body
    assert isinstance(body, dict)
    assert body["model"] == "codestral-2508"
    await say(program, "/new")
    await program.shows("A new conversation begins")
    await say(program, "/history")
    await program.shows("Go on with one of them")
    await say(program, "/continue 1")
    await program.shows("Going on with")
    await say(program, "/exit")
    assert await program.end() == 0


async def test_a_signal_at_the_prompt_ends_it_in_order(terminal: Terminals) -> None:
    program = await terminal()
    await program.shows(PROMPT)

    program.process.send_signal(signal.SIGTERM)

    assert await program.end() == 128 + signal.SIGTERM
    assert "Traceback" not in program.shown


async def test_what_was_answered_survives_a_kill(terminal: Terminals, mistral: FakeMistral) -> None:
    mistral.answer(["Blue."])
    mistral.answer(["Half ", asyncio.Event()])
    mistral.answer(["Blue!"])
    program = await terminal()
    await program.shows(PROMPT)
    await say(program, "Which?")
    await program.shows("tokens:")
    await say(program, "Again?")
    await program.shows("Half")
    program.process.kill()
    await asyncio.wait_for(program.process.wait(), PATIENCE)

    second = await terminal("-c")
    await second.shows(PROMPT)
    await say(second, "And?")
    await second.shows("tokens:")

    assert asked(mistral) == ["Which?", "Blue.", "And?"]


async def test_a_terminal_that_can_t_move_its_cursor_gets_the_text(terminal: Terminals, mistral: FakeMistral) -> None:
    mistral.answer(["It is **four**."])
    program = await terminal("hi", TERM="dumb")

    assert await program.end() == 0
    assert "It is **four**." in program.shown
    assert "\x1b" not in program.shown


async def test_a_failure_does_not_end_the_chat(terminal: Terminals, mistral: FakeMistral) -> None:
    mistral.answer(error=mistral.errors.wrong_key(mistral.key))
    mistral.answer(["Now."])
    program = await terminal()
    await program.shows(PROMPT)

    await say(program, "hi")
    await program.shows("tgllm: ")
    await program.shows(PROMPT)
    await say(program, "/retry")
    await program.shows("Now.")
