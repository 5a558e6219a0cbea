"""A name that can't be used is reported with the rule and with the nearest name that can."""

import pytest

from tgllm.api import Decision
from tgllm.plugins.calls.outcome import Breach
from tgllm.plugins.checks.forms import (
    COMMAND,
    FORMS,
    ID,
    LANGUAGE,
    MIME_TYPE,
    PLUGIN_ID,
    SUFFIX,
    VARIABLE,
    Form,
    check_form,
)
from tgllm.plugins.checks.values import check_value
from tgllm.services.files.handlers import lowered


@pytest.mark.parametrize(
    ("form", "name", "near"),
    [
        (ID, "My Parrot", "my_parrot"),
        (ID, "a-b", "a_b"),
        (ID, "1st", "weather"),
        (ID, "", "weather"),
        (ID, "Погода", "weather"),
        (PLUGIN_ID, "two__parts", "two_parts"),
        (COMMAND, "/Remind", "remind"),
        (COMMAND, "a" * 40, "a" * 32),
        (LANGUAGE, "en-US", "en"),
        (MIME_TYPE, "pdf", "application/pdf"),
        (MIME_TYPE, "text/plain; charset=utf-8", "application/pdf"),
        (SUFFIX, "GPX", ".gpx"),
        (SUFFIX, "*.gpx", ".gpx"),
        (VARIABLE, "ODD-KEY", "ODD_KEY"),
        (VARIABLE, "ODD_KEY ", "ODD_KEY"),
    ],
)
def test_the_nearest_name_is_named(form: Form, name: str, near: str) -> None:
    with pytest.raises(Breach, match=f"^it .* must look like {near}: "):
        check_form("it", name, form)
    check_form("it", near, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [None, 7, b"a", "\ud83d", "a" * 1_000_000 + "!"])
def test_anything_else_is_named_shortly(form: Form, value: object) -> None:
    with pytest.raises(Breach) as refused:
        check_form("it", value, form)
    assert len(str(refused.value)) < 400


def test_a_decision_is_no_bool() -> None:
    with pytest.raises(Breach, match=r"returned a bool instead of a Decision: return Decision.deny\(reason\), or None"):
        check_value("tgllm_authorize", True, Decision)


def test_upper_case_in_kinds_of_files_is_as_lower_case() -> None:
    assert lowered(frozenset({"Text/X-Walk", "image/*"})) == {"text/x-walk", "image/*"}
