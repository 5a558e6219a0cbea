"""The page about the commands for admins says what the command tables say."""

import admin_commands


def test_it_is_up_to_date() -> None:
    assert admin_commands.TARGET.read_text(encoding="utf-8") == admin_commands.text(), "run `make generate`"


def test_every_command_stands_there() -> None:
    lines = admin_commands.text().splitlines()

    assert any(line.startswith(r"| `/admin users [pending\|active") and "| People |" in line for line in lines)
    assert any(line.startswith("| `/admin role <user>") and "| owner |" in line and "always" in line for line in lines)
    assert any(line.startswith("| `/groupmode` | admin |") for line in lines)
    assert all(line.count("|") - line.count(r"\|") in {0, 4, 7} for line in lines)
