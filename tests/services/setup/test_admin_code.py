"""The code that an admin sends: who has sent it first, from a private chat, and nobody else."""

import re
from typing import Any

import pytest

from tgllm.services.setup.admin_code import MOST_WRONG, AdminCode, confirmable


@pytest.fixture
def code() -> AdminCode:
    return AdminCode()


def update(number: int, text: str, *, user: int = 42, kind: str = "message", chat: str = "private") -> dict[str, Any]:
    sender = {"id": user, "is_bot": False, "first_name": "Ann", "username": "ann", "language_code": "ru"}
    return {"update_id": number, kind: {"from": sender, "chat": {"id": user, "type": chat}, "text": text}}


def test_it_is_long_and_another_one_each_time() -> None:
    codes = {AdminCode().text for _ in range(50)}

    assert len(codes) == 50
    assert all(re.fullmatch(r"\d{4}-\d{4}-\d{4}", each) for each in codes)


@pytest.mark.parametrize(
    "written",
    ["{}", " {}\n", "/start {}", "my code: {}", "{}."],
)
@pytest.mark.parametrize("dash", ["-", " ", "", "—", "\u2011"])
def test_people_may_write_it_their_way(code: AdminCode, written: str, dash: str) -> None:
    (found,) = code.look([update(1, written.format(code.text.replace("-", dash)))])

    assert (found.finding, found.user_id, str(found)) == ("right", 42, "Ann (@ann, 42)")


def test_other_digits_are_digits(code: AdminCode) -> None:
    arabic = code.text.translate({ord("0") + digit: 0x660 + digit for digit in range(10)})

    assert code.look([update(1, arabic)])[0].finding == "right"


def test_a_corrected_message_counts(code: AdminCode) -> None:
    found = code.look([update(1, "1234-5678"), update(2, code.text, kind="edited_message")])

    assert [each.finding for each in found] == ["wrong", "right"]


def test_a_second_person_with_the_right_code_is_too_late(code: AdminCode) -> None:
    found = code.look([update(1, code.text, user=1), update(2, code.text, user=2)])

    assert [(each.finding, each.user_id) for each in found] == [("right", 1)]


def test_other_messages_are_ignored(code: AdminCode) -> None:
    strange: list[dict[str, Any]] = [{}, {"update_id": "x"}, {"update_id": 5}, {"update_id": 6, "message": []}]
    bots = update(7, code.text)
    bots["message"]["from"]["is_bot"] = True

    assert code.look([update(1, "hi"), update(2, "call 5 of us"), update(3, "/start"), *strange, bots]) == []


def test_each_update_is_looked_at_once(code: AdminCode) -> None:
    wrong = [update(1, "1111-1111-1111")]

    assert len(code.look(wrong)) == 1
    assert code.look(wrong) == []


@pytest.mark.parametrize("chat", ["group", "supergroup", "channel"])
def test_in_a_group_it_does_not_count(code: AdminCode, chat: str) -> None:
    assert [each.finding for each in code.look([update(1, code.text, chat=chat)])] == ["group"]
    assert code.look([update(2, "1111-1111-1111", chat=chat)]) == []


def test_a_replaced_code_is_wrong(code: AdminCode) -> None:
    old = code.text
    code.renew()

    assert code.look([update(1, old)])[0].finding == "wrong"


def test_guesses_wear_it_out(code: AdminCode) -> None:
    code.look(update(number, "1111-1111-1111") for number in range(MOST_WRONG - 1))
    assert not code.is_worn
    code.look([update(MOST_WRONG, "1111-1111-1111")])
    assert code.is_worn
    code.renew()
    assert not code.is_worn


def test_only_the_admins_own_messages_of_the_set_up_are_confirmed(code: AdminCode) -> None:
    right = update(5, code.text)
    (found,) = code.look([right])

    assert confirmable([right], found) == 5
    assert confirmable([update(3, "/start"), update(4, "1111-2222"), right], found) == 5
    # What others have sent, or what the admin wants to know, is left for the bot.
    assert confirmable([update(4, "/start", user=7), right], found) is None
    assert confirmable([update(3, "/start"), update(4, "hello"), right], found) == 3
