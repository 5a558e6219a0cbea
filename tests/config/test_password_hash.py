"""The admin password as the settings keep it."""

import pytest

from tgllm.config.password_hash import Cost, PasswordHash, hash_password, why_unfit

CHEAP = Cost(log_n=4, r=1, p=1)


def test_a_password_matches_its_own_hash_only() -> None:
    made = hash_password("open sesame", CHEAP)

    assert made.matches("open sesame")
    assert not made.matches("open sesam")
    assert not made.matches("")


def test_a_hash_is_read_as_it_was_written() -> None:
    made = hash_password("open sesame", CHEAP)

    assert PasswordHash.parse(str(made)) == made
    assert PasswordHash.parse(f" {made}\n") == made


def test_the_password_is_not_in_its_hash_and_no_hash_comes_twice() -> None:
    one, two = str(hash_password("sesame-sesame", CHEAP)), str(hash_password("sesame-sesame", CHEAP))

    assert "sesame" not in one
    assert one != two


def test_a_guess_costs_32_mebibytes_three_times() -> None:
    cost = hash_password("open sesame").cost

    assert (cost.memory, cost.p) == (32 * 2**20, 3)


def test_the_same_letters_by_another_keyboard_are_the_same() -> None:
    assert hash_password("gru\u0308ne Wiese", CHEAP).matches("gr\u00fcne Wiese")


def test_spaces_that_telegram_takes_away_do_not_count() -> None:
    assert hash_password("open sesame", CHEAP).matches("open sesame ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "open sesame",
        "$2b$12$abcdefghijklmnopqrstuv",
        "scrypt:15:8:3:c2FsdA:ZGlnZXN0",
        f"scrypt:30:8:1:{'A' * 22}:{'A' * 43}",
        f"scrypt:0:8:1:{'A' * 22}:{'A' * 43}",
        f"scrypt:4:1:1:{'A' * 25}:{'A' * 43}",
    ],
)
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hash"):
        PasswordHash.parse(text)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "length"),
        ("x" * 257, "length"),
        (" sesame open", "spaces"),
        ("two\nlines of it", "spaces"),
        ("/sesame-open", "slash"),
    ],
)
def test_passwords_that_would_not_arrive_are_unfit(password: str, reason: str) -> None:
    assert why_unfit(password) == reason


def test_an_ordinary_password_is_fit() -> None:
    assert why_unfit("open sesame") is None
