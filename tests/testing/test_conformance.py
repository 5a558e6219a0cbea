"""The kit passes a good provider, and tells each bad one by the right test."""

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from plugin_support import write_distribution
from pytester_support import OPTIONS
from tgllm.testing.conformance import ProviderConformance

pytestmark = [pytest.mark.once, pytest.mark.timeout(400)]

pytest_plugins = ["pytester"]

MEMORY = Path(__file__).parent / "memory"
MODULE = """
from memory.service import MemoryService
from tgllm.testing.conformance import ProviderConformance
"""
KIT = """

class Test{name}(ProviderConformance):
    plugin = "memory.plugin:with_{name}"
    under_test = MemoryService
    seconds = {seconds}
"""
NOT_OFFERED = (
    "any_status",
    "block_the_loop",
    "broken_list",
    "every_form",
    "every_model",
    "finish_reason",
    "list_that_breaks",
    "models_are_described",
    "part_of_the_tokens",
    "proxy",
    "reasoning_effort",
    "redirect",
    "roles",
    "silence",
    "small_value",
    "stream_that_breaks",
    "user_key",
    "wrong_request",
)
"""Parts of the names of tests that need what this service does not offer; ``test_planted_faults`` has them."""
SHORT = {"AllAtOnce", "LeavesStreamsOpen", "StaysConnected", "SwallowsCancellation"}
"""Those with tests that fail by waiting in vain."""

Outcomes = dict[str, str]
Run = Callable[..., Outcomes]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run a module with the kit; what became of each test that neither passed nor was skipped, as ``Class::name``."""
    shutil.copytree(MEMORY, pytester.path / "memory")
    # In the strict mode of pytest-asyncio, which is its default.
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\npythonpath = .\n")

    def outcomes(module: str, only: str = "test", tests: Iterable[str] = ()) -> Outcomes:
        pytester.makepyfile(test_it=MODULE + module)
        # In a process of its own: modules that came and went would be there twice for the tests that follow here.
        chosen = f"({only}) and not ({' or '.join(NOT_OFFERED)})"
        nodes = [f"test_it.py::{test}" for test in tests]
        pytester.runpytest_subprocess(*OPTIONS, "-k", chosen, "--junit-xml=report.xml", *nodes)
        cases = list(ET.parse("report.xml").iter("testcase"))
        assert cases
        return dict(filter(None, map(outcome_of, cases)))

    return outcomes


def outcome_of(case: ET.Element) -> tuple[str, str] | None:
    name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
    if (skipped := case.find("skipped")) is not None:
        return (name, "exempt") if skipped.get("type") == "pytest.xfail" else None
    told = [entry.text or "" for entry in (*case.findall("failure"), *case.findall("error"))]
    return (name, "\n".join(told)) if told else None


def kit_for(name: str, suffix: str = "", body: str = "") -> str:
    kit = KIT.format(name=name, seconds=2.0 if name in SHORT else 5.0)
    return kit.replace(f"class Test{name}(", f"class Test{name}{suffix}(") + body


def failed(outcomes: Outcomes) -> set[str]:
    return {name for name, outcome in outcomes.items() if outcome != "exempt"}


def test_a_good_provider_passes(run: Run) -> None:
    assert run(kit_for("Good")) == {}


STALLED = (
    "test_pieces_come_as_they_are_sent",
    "test_cancellation_closes_the_connection",
    "test_aclose_in_the_middle_closes_the_connection",
    "test_it_answers_after_a_stream_was_closed",
    "test_closing_a_stream_leaves_another_open",
)
BROKEN_OFF = ("test_an_answer_that_breaks_off_is_an_error", "test_an_answer_that_ends_too_early_is_an_error")
MIDWAY = tuple(
    f"test_a_failure_in_the_middle_is_mapped[{kind}]"
    for kind in ("BadResponse", "ContextTooLong", "RateLimited", "Unavailable")
)
DEVIATIONS = "test_deviations_of_gateways_are_tolerated"
IN_PLACE = "test_an_error_in_place_of_an_answer_is_told"
FILE = "test_a_file_arrives_or_is_refused"
OWN_USAGE = "test_usage_belongs_to_its_answer"
EARLIER_FILE = "test_a_file_of_an_earlier_question_stays"
AFTER = "test_it_answers_after_an_answer_that_broke_off"
EARLY = "test_cancellation_before_the_first_piece_closes_the_connection"
OTHER_FILES = ("application/pdf", "application/x-tgllm-unknown", "audio/ogg", "text/plain", "video/mp4")


BAD: Mapping[str, Iterable[str]] = {
    # Identity and settings
    "KeyWithoutName": ["test_without_a_key_it_says_what_to_set"],
    "NoKeyNeeded": ["test_without_a_key_it_says_what_to_set"],
    "OddModels": ["test_the_models_are_valid"],
    "OneNameTwice": ["test_the_models_are_valid"],
    "AlwaysWell": ["test_the_doctor_knows_of_the_key"],
    "ShowsItsKey": ["test_the_settings_hide_the_key"],
    "TellsTheKey": ["test_the_doctor_knows_of_the_key"],
    # Answers
    "AllAtOnce": STALLED,
    "HalfCharacters": ["test_characters_stay_whole"],
    "MoreThoughtThanSaid": ["test_usage_is_possible"],
    "NoWhiteSpaceAtTheStart": ["test_white_space_stays"],
    "OneStreamOnly": ["test_two_streams_do_not_mix", OWN_USAGE],
    "OneTokenAlways": ["test_tokens_are_counted_or_not", "test_the_whole_request_is_counted"],
    "TextBehindTheEnd": ["test_an_answer_ends_with_one_finished"],
    "Strict": [DEVIATIONS],
    "ThoughtsInTheText": ["test_reasoning_is_apart_from_the_answer"],
    "TwoEnds": ["test_an_answer_ends_with_one_finished"],
    "UsageTurnedRound": [
        "test_usage_is_what_the_service_counted",
        "test_no_token_is_left_out_of_the_sums",
        OWN_USAGE,
    ],
    # Requests
    "ChangesTheRequest": ["test_the_request_is_not_changed"],
    "NoData": ["test_provider_data_comes_back"],
    "NoHistory": ["test_the_conversation_arrives", "test_provider_data_comes_back", EARLIER_FILE],
    "NoImages": [f"{FILE}[image/png]", EARLIER_FILE, "test_the_order_of_parts_stays"],
    "NoLimit": ["test_a_setting_arrives_or_is_refused[max_output_tokens-1234]"],
    "NoSystem": ["test_the_system_message_is_honoured"],
    "NoTemperature": ["test_a_setting_arrives_or_is_refused[temperature-0.375]"],
    "NoWordOnFiles": [f"{FILE}[{kind}]" for kind in OTHER_FILES],
    "TrustsData": ["test_strange_provider_data_does_no_harm"],
    "UnstorableData": ["test_provider_data_comes_back"],
    # Failures
    "AnyError": ["test_a_failure_is_mapped[QuotaExceeded]"],
    "AnyModel": ["test_an_unknown_model_is_not_found"],
    "AsksTwice": ["test_a_wrong_key_is_not_tried_again"],
    "BeginsAgain": [*BROKEN_OFF, *MIDWAY, AFTER],
    "EofIsTheEnd": [BROKEN_OFF[1]],
    "HalfIsWhole": ["test_an_answer_that_breaks_off_is_an_error", AFTER],
    "KeyInTheCause": ["test_no_key_is_told[Refused]"],
    "KeyInTheError": ["test_no_key_is_told[Refused]"],
    "KeyInTheLog": ["test_no_key_is_told[Refused]"],
    "KeyInTheParams": ["test_no_key_is_told[Refused]"],
    "MiddleIsTheEnd": MIDWAY,
    "KeyInTheWords": [IN_PLACE],
    "NoWords": [IN_PLACE],
    "NoModelsOnFailure": ["test_a_list_that_cannot_be_had_is_an_error", "test_the_list_is_asked_for_anew"],
    "NoWait": ["test_the_wait_that_is_asked_for_is_told"],
    # Lifecycle
    "ClosesAllStreams": ["test_closing_a_stream_leaves_another_open"],
    "ClosesAfterUseOnly": ["test_closing_what_was_never_used_does_no_harm"],
    "ClosesOnce": ["test_closing_twice_does_no_harm"],
    "LeavesStreamsOpen": [*STALLED[1:3], EARLY],
    "OnlyOneClosedStream": [
        "test_it_answers_after_a_stream_was_closed",
        "test_answers_leave_no_connections_behind[closed]",
    ],
    "OsErrors": ["test_a_service_out_of_reach_is_unavailable"],
    "StaysConnected": ["test_closing_leaves_no_connection_open"],
    "SwallowsCancellation": ["test_cancellation_closes_the_connection", EARLY],
}
"""Tests that each bad provider fails."""


def test_bad_providers_fail_where_they_are_bad(run: Run) -> None:
    wanted = {f"Test{name}::{test}" for name, tests in BAD.items() for test in tests}

    # That the other tests pass is shown with the good provider, which all of these are but for one thing.
    assert failed(run("".join(map(kit_for, BAD)), tests=sorted(wanted))) == wanted


def test_a_plugin_that_the_bot_would_not_load_is_reported(run: Run) -> None:
    reasons = {"bad_id": "must look like", "taken_id": "is taken by", "unknown_hook": "tgllm_tomorrow"}
    name = "test_the_plugin_loads_in_the_bot"

    outcomes = run("".join(map(kit_for, reasons)), name)

    assert [plugin for plugin, reason in reasons.items() if reason not in outcomes[f"Test{plugin}::{name}"]] == []


def test_it_says_what_is_odd_about_a_model(run: Run) -> None:
    words = {
        "OddDays": "is as of 'May': write it like 2026-01-31",
        "OddKinds": "has png: write them like image/png",
        "OddModels": "context_window of memory-1 is -1",
        "OddNames": "'two words' is no name of a model",
        "OddPrices": "the price of memory-1 is negative",
    }

    outcomes = run("".join(map(kit_for, words)), "test_the_models_are_valid")

    assert {
        name: told for name, told in words.items() if told in outcomes[f"Test{name}::test_the_models_are_valid"]
    } == words


def test_wrong_settings_must_be_refused(run: Run) -> None:
    settings = {"Type": ("address", 5), "Name": ("addres", "memory://"), "Value": ("address", "nowhere")}
    kits = [kit_for("Good", name, f"    wrong_settings = ({wrong!r},)\n") for name, wrong in settings.items()]

    ((name, outcome),) = run("".join(kits), "wrong_setting").items()

    assert name.startswith("TestGoodValue::")
    assert "the plugin accepts 'nowhere' as address" in outcome


@pytest.mark.parametrize(
    ("points", "bad"),
    [
        ("memory = memory.plugin:with_Good", False),
        ("other = other.plugin", False),
        ("memory = memory.plugin:with_OddModels", True),
        ("memory = memory.plugins", True),
        ("memories = memory.plugin:with_Good", True),
    ],
)
def test_the_entry_point_must_lead_to_the_plugin(run: Run, pytester: pytest.Pytester, points: str, bad: bool) -> None:
    plugin_id, _, value = points.partition(" = ")
    write_distribution(pytester.path, "tgllm-memory", {"tgllm": {plugin_id: value}}, {})

    outcomes = run(kit_for("Good"), "entry_point")

    assert [points in told for told in outcomes.values()] == [True] * bad


class TestImports:
    def test_a_plugin_that_imports_much_is_told(self, run: Run, pytester: pytest.Pytester) -> None:
        (pytester.path / "memory" / "heavy.py").write_text("import aiohttp\nfrom memory.plugin import *\n")

        (outcome,) = run(kit_for("Good").replace("memory.plugin", "memory.heavy"), "no_sdk").values()

        assert " aiohttp, " in outcome

    def test_a_library_that_is_named_may_be_imported(self, run: Run, pytester: pytest.Pytester) -> None:
        (pytester.path / "memory" / "named.py").write_text("import iniconfig\nfrom memory.plugin import *\n")
        allowed = '    allowed_imports = frozenset({"iniconfig"})\n'

        assert run(kit_for("Good").replace("memory.plugin", "memory.named") + allowed, "no_sdk") == {}


WAIT = "test_the_wait_that_is_asked_for_is_told"
QUOTA = "test_a_failure_is_mapped[QuotaExceeded]"
WHOLE = "test_the_kit_is_whole"


def test_exemptions_count_with_a_reason_only_and_while_they_are_needed(run: Run) -> None:
    exempt = f'    exempt = {{"{WAIT}": "the service never says how long"}}\n'
    own = f"    async def {WAIT}(self): assert {{}}\n"
    module = [
        kit_for("NoWait", "Exempt", exempt),
        kit_for("Good", "NotNeeded", exempt),
        kit_for("AnyError", "OneOfSome", f'    exempt = {{"{QUOTA}": "the service has no quota"}}\n'),
        kit_for("NoWait", "Replaced", exempt + own.format(True)),
        kit_for("NoWait", "ReplacedInVain", exempt + own.format(False)),
        kit_for("NoWait", "LeftOut", f"{exempt}    {WAIT} = None\n"),
        kit_for("NoWait", "LeftOutLater", f"\nTestNoWaitLeftOutLater.{WAIT} = None\n"),
    ]

    outcomes = run("".join(module), "wait or mapped or whole")

    assert {name for name, outcome in outcomes.items() if outcome == "exempt"} == {
        f"TestNoWaitExempt::{WAIT}",
        f"TestAnyErrorOneOfSome::{QUOTA}",
    }
    assert failed(outcomes) == {
        f"TestGoodNotNeeded::{WAIT}",
        f"TestNoWaitReplacedInVain::{WAIT}",
        f"TestNoWaitLeftOutLater::{WHOLE}",
    }


def test_what_a_service_does_not_offer_is_told_as_not_covered(pytester: pytest.Pytester) -> None:
    shutil.copytree(MEMORY, pytester.path / "memory")
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\npythonpath = .\n")
    offers = ["count_questions", "deviate", "end_early", "fail_in_place", "fail_midway"]
    service = "".join(f"    {name} = ProviderUnderTest.{name}\n" for name in offers)
    module = "from tgllm.testing.conformance import ProviderUnderTest\n\nclass Earlier(MemoryService):\n" + service
    exempt = '    exempt = {"test_a_wrong_key_is_not_tried_again": "it counts nothing"}\n'
    kit = kit_for("Good", body=exempt).replace("= MemoryService", "= Earlier")
    pytester.makepyfile(test_it=MODULE + module + kit)

    result = pytester.runpytest_subprocess(*OPTIONS)

    outcomes = result.parseoutcomes()
    assert "failed" not in outcomes
    assert outcomes["xfailed"] == 1
    told = result.stdout.str()
    new = ["respond", "break_with", "sent", "saw_roles"]
    wanted = [f"not covered: override {name} of the service" for name in [*offers[1:], *new]]
    wanted += ["not covered: let answer take finish", "not covered: set counts", "not covered: override models"]
    assert [words for words in wanted if words not in told] == []
    assert outcomes["warnings"] <= outcomes["skipped"]


async def changed(self: object) -> None: ...


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({WAIT: changed}, f"TestMine: {WAIT} is changed or left out: give the reason in exempt"),
        ({WAIT: None}, f"{WAIT} is changed or left out"),
        ({"exempt": {"test_of_nothing": "why"}}, "exempt names test_of_nothing, and the kit has no such test"),
        ({"exempt": {WAIT: " "}}, f"exempt gives no reason for {WAIT}"),
        ({"subject": None}, "subject is the kit's own and can't be changed"),
        ({"apply_exemptions": changed}, "apply_exemptions is the kit's own"),
    ],
)
def test_a_kit_that_is_changed_without_a_reason_is_no_class(body: dict[str, object], words: str) -> None:
    with pytest.raises(TypeError, match=re.escape(words)):
        type("TestMine", (ProviderConformance,), body)


def test_a_mixin_before_the_kit_is_no_way_round() -> None:
    mixin = type("Mixin", (), {WAIT: None})

    with pytest.raises(TypeError, match=f"{WAIT} is changed or left out"):
        type("TestMine", (mixin, ProviderConformance), {})


def test_what_is_meant_to_be_set_can_be_set() -> None:
    body = {"plugin": "mine", "seconds": 1.0, "test_of_my_own": changed, "exempt": {f"{WAIT}[1]": "a reason"}}

    assert type("TestMine", (ProviderConformance,), body)
