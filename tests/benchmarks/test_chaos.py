"""Kills and faults: a dozen kills in a run, and a judge that sees what is wrong."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.chaos.effects import DONE, judge_effects
from benchmarks.chaos.judge import ASKED, GIVEN_UP, MARKED, judge
from benchmarks.chaos.people import Habits
from benchmarks.chaos.questions import Question
from benchmarks.chaos.report import report_text
from benchmarks.chaos.run import Options, run

from tgllm.i18n import Catalogue
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.emulator.markup.text import Text


@pytest.mark.once
@pytest.mark.skipif(sys.platform != "linux", reason="processes are killed from within")
@pytest.mark.timeout(600)
async def test_a_dozen_kills_lose_nothing_and_repeat_nothing() -> None:
    usual = Options(seed=3, chats=4, messages=5, kills=12, aimed=True, life=2.0, paced=False, faults=False)
    report = await run(replace(usual, habits=Habits(tools=0.6)))
    shown = report_text(report)
    assert report.is_good, shown
    assert report.questions == 20, shown
    assert sum(report.kills.values()) == 12, shown
    assert len(report.kills.keys() - {"any time", "start", "drain"}) >= 2, f"hardly any kill met its moment: {shown}"
    assert report.without_file == 0, shown
    assert report.effects.calls, f"no tool was called: {shown}"
    assert report.sending.rows, "the changes in the outbox are not seen"


Say = Callable[..., EmulatedMessage]


@pytest.fixture
def say(emu: Emulator, chat: EmulatedChat) -> Say:
    """Lets the bot say something in the chat."""

    def said(text: str, reply_to: EmulatedMessage | None = None) -> EmulatedMessage:
        bot = emu.bot
        message = EmulatedMessage(chat.next_message_id(), chat, bot, 0, Text(text), reply_to=reply_to)
        chat.add(message)
        return message

    return said


@pytest.fixture
async def asked(ann: EmulatedUser) -> list[tuple[Question, EmulatedMessage]]:
    questions = [Question(0, 1), Question(0, 2, parts=2)]
    return [(question, await ann.say(str(question))) for question in questions]


Asked = list[tuple[Question, EmulatedMessage]]


def test_the_judge_knows_the_texts_of_the_bot() -> None:
    texts = Catalogue(strict=True)
    assert ASKED in texts("send.uncertain", "en")
    assert MARKED in texts("send.repeat", "en")
    assert GIVEN_UP in texts("turn.attempts_spent", "en")


def test_whole_answers_in_order_are_fine(chat: EmulatedChat, say: Say, asked: Asked) -> None:
    say("<c0q1v1p1> word")
    say("<c0q2v1p1> word <c0q2v1p2> word")
    verdict = judge(chat, asked)
    assert [verdict.lost, verdict.repeated, verdict.disorder] == [[], [], []]
    assert (verdict.asked, verdict.given_up, verdict.placeholders) == (0, 0, 0)


def test_a_missing_part_is_lost(chat: EmulatedChat, say: Say, asked: Asked) -> None:
    say("<c0q2v1p1>")
    assert judge(chat, asked).lost == ["c0q1v1n1f0t0: <c0q1v1p1>", "c0q2v1n2f0t0: <c0q2v1p2>"]


def test_an_answer_to_an_earlier_version_is_no_answer(chat: EmulatedChat, say: Say, asked: Asked) -> None:
    say("<c0q1v1p1>")
    edited = [(asked[0][0].edited(), asked[0][1])]
    assert judge(chat, edited).lost == ["c0q1v2n1f0t0: <c0q1v2p1>"]


def test_a_repeat_counts_apart_where_it_is_marked(chat: EmulatedChat, say: Say, asked: Asked) -> None:
    say("<c0q1v1p1>")
    say("↻ may be a repeat\n<c0q1v1p1>")
    verdict = judge(chat, asked[:1])
    assert (len(verdict.marked), len(verdict.repeated)) == (1, 0)
    say("<c0q1v1p1>")
    assert len(judge(chat, asked[:1]).repeated) == 1


def test_order_is_by_question_version_and_part(chat: EmulatedChat, say: Say, asked: Asked) -> None:
    say("<c0q2v1p2>")
    say("<c0q2v1p1>")
    say("<c0q1v1p1>")
    verdict = judge(chat, asked)
    assert verdict.disorder == ["<c0q2v1p1> after <c0q2v1p2>", "<c0q1v1p1> after <c0q2v1p1>"]
    resent = frozenset(asked[0][0].part_names())
    assert judge(chat, asked, resent).disorder == ["<c0q2v1p1> after <c0q2v1p2>"]


def test_who_was_asked_or_given_up_is_counted(chat: EmulatedChat, say: Say, asked: Asked) -> None:
    say("Telegram did not confirm that my answer arrived. Send it again?")
    say("I was interrupted too often while answering this. Please ask again.", asked[0][1])
    say("Thinking...")
    verdict = judge(chat, asked)
    assert (verdict.asked, verdict.given_up, verdict.placeholders) == (1, 1, 1)
    assert verdict.lost == ["c0q2v1n2f0t0: <c0q2v1p1>, <c0q2v1p2>"]


def test_a_call_that_is_made_twice_or_not_at_all_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "effects"
    asked = [Question(0, number, tool=tool) for number, tool in enumerate((1, 2, 3, 2, 0), 1)]
    results = {"c0q1v1": DONE, "c0q2v1": DONE, "c0q3v1": DONE, "c0q4v1": "It is unknown whether it happened."}
    assert judge_effects(path, asked, {}).calls == 0
    path.write_text("look c0q1v1\nlook c0q1v1\nact c0q2v1\nact c0q2v1\nact c0q4v1\n")
    found = judge_effects(path, asked, results)
    assert (found.calls, list(found.twice), list(found.undone), found.unknown) == (
        5,
        ["act c0q2v1"],
        ["c0q3v1n1f0t3"],
        1,
    )
