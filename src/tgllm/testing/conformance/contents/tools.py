"""Tests of tools: what the model is offered, and the calls in its answers."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest

from tgllm.api import ProviderError, ToolCall, ToolCallDelta, Unsupported
from tgllm.testing.asking import Heard
from tgllm.testing.conformance.checking import check, offered, raising
from tgllm.testing.conformance.contents.tool_samples import CITY, CLOCK, TOOLS, arguments_of, properties_of, whole_calls
from tgllm.testing.conformance.json_leaves import leaves
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.subject import Subject
from tgllm.testing.fake_providers.base.deviations import DEVIATIONS

__all__ = ["ToolTests"]

_CALLS = (ToolCall("", CLOCK, '{"zone": "Europe/Berlin"}'), ToolCall("", CITY, '{"name": "Łódź", "depth": 2}'))
_WANTED = [(call.name, json.loads(call.arguments)) for call in _CALLS]
_CUT_OFF = '{"zone": "Europe/Ber'


class ToolTests(Kit):
    """Tools are offered to the model as the request says, and its calls are yielded whole. Since 1.2.

    The tests are skipped for a provider without ``supports_tools``.
    """

    @pytest.fixture
    def tool_subject(self, subject: Subject) -> Subject:
        """Provide the provider and its service; skip the test if the provider does not take tools."""
        if not subject.provider.supports_tools:
            pytest.skip("the provider has no supports_tools")
        return subject

    async def test_tools_arrive(self, tool_subject: Subject) -> None:
        """Each tool arrives with its name, its description and the names of its arguments."""
        await tool_subject.hear(tool_subject.ask("What time is it?", tools=TOOLS))
        seen = offered("saw_tools", tool_subject.service.saw_tools)
        told = [(tool.name, tool.description) for tool in seen.tools]
        check(told == [(tool.name, tool.description) for tool in TOOLS], f"the tools arrived as {told}")
        for tool, arrived in zip(TOOLS, seen.tools, strict=True):
            lost = [name for name in properties_of(tool) if name not in properties_of(arrived)]
            check(
                not lost, f"these arguments of {tool.name} did not arrive: {lost}; its schema became {arrived.schema}"
            )

    async def test_a_request_without_tools_has_none(self, tool_subject: Subject) -> None:
        """Nothing about tools is sent if there are none, since not all models of a service take the fields."""
        await tool_subject.hear(tool_subject.ask("Hello", tool_choice="auto", parallel_tools=True))
        seen = offered("saw_tools", tool_subject.service.saw_tools)
        check(not seen.tools, f"a request without tools arrived with {seen.tools}")
        fields = {path for path, _ in leaves(offered("sent", tool_subject.service.sent)) if "tool" in str(path).lower()}
        check(not fields, f"a request without tools has the fields {fields}")

    @pytest.mark.parametrize("choice", ["auto", "none", "required", f"tool:{CITY}"])
    async def test_the_choice_arrives(self, tool_subject: Subject, choice: str) -> None:
        """``tool_choice`` arrives, or raises Unsupported."""
        try:
            await tool_subject.hear(tool_subject.ask("Hello", tools=TOOLS, tool_choice=choice))
        except Unsupported:
            return
        seen = offered("saw_tools", tool_subject.service.saw_tools)
        if choice == "none" and not seen.tools:
            # Without tools the model calls none.
            return
        check(seen.choice == choice, f"tool_choice={choice!r} arrived as {seen.choice!r}")

    async def test_one_call_at_once_is_possible(self, tool_subject: Subject) -> None:
        """``parallel_tools=False`` is sent if the service has a field for it; the request is answered in any case."""
        heard = await tool_subject.hear(tool_subject.ask("Hello", tools=TOOLS, parallel_tools=False))
        check(heard.text, "a request with parallel_tools=False has no answer")

    async def test_two_calls_are_yielded(self, tool_subject: Subject) -> None:
        """Calls that are made at once are yielded in order, each whole and once, before Finished."""
        offered("call", lambda: tool_subject.service.call(*_CALLS))
        heard = await _asked(tool_subject)
        _check_calls(heard, "two calls")
        check(heard.text == "", f"an answer with calls only has the text {heard.text!r}")
        ids = [call.id for call in whole_calls(heard)]
        check(all(ids) and len({*ids}) == len(ids), f"each call has its own id, and none is empty: {ids}")
        check(heard.events[-1] is heard.ends[0], "Finished comes last, after the calls")
        reason = heard.finished.reason
        check(reason == "stop", f"an answer that ends with calls ends with 'stop', not {reason!r}")

    async def test_ids_differ_between_answers(self, tool_subject: Subject) -> None:
        """The ids of two answers of a conversation differ, since both are in later requests."""
        found: list[str] = []
        for _ in range(2):
            offered("call", lambda: tool_subject.service.call(*_CALLS))
            found += [call.id for call in whole_calls(await _asked(tool_subject))]
        check(len({*found}) == len(found), f"two answers have calls with the same id: {found}")

    async def test_text_and_reasoning_before_a_call_stay(self, tool_subject: Subject) -> None:
        """What the model says and thinks before its calls is yielded as in any other answer."""
        service = tool_subject.service
        offered("call", lambda: service.call(*_CALLS, text="I'll look. ", reasoning="Two things to find out."))
        heard = await _asked(tool_subject)
        _check_calls(heard, "calls after a text")
        check(heard.text == "I'll look. ", f"the text before the calls became {heard.text!r}")
        check(heard.reasoning == "Two things to find out.", f"the reasoning became {heard.reasoning!r}")

    async def test_every_form_of_calls_is_read(self, tool_subject: Subject) -> None:
        """However the service streams them, the calls are the same."""
        wrong: dict[str, object] = {}
        for form in sorted(tool_subject.service.call_forms):
            offered("call", lambda form=form: tool_subject.service.call(*_CALLS, form=form))
            heard = await _asked(tool_subject)
            if (found := [(call.name, arguments_of(call)) for call in whole_calls(heard)]) != _WANTED:
                wrong[form] = found
        check(not wrong, f"these forms of calls are not read: {wrong}")

    async def test_calls_with_deviations_are_read(self, tool_subject: Subject) -> None:
        """The deviations of gateways are tolerated in answers with calls, too."""
        wrong: dict[str, object] = {}
        for name in DEVIATIONS:
            with suppress(NotImplementedError):
                tool_subject.service.deviate_with_calls(name, *_CALLS)
                try:
                    calls = whole_calls(await _asked(tool_subject))
                except ProviderError as error:
                    wrong[name] = error
                    continue
                if (found := [(call.name, arguments_of(call)) for call in calls]) != _WANTED:
                    wrong[name] = found
        # A service may promise the end mark, so that its reader requires it (``ChatReader.needs_done``).
        strict = {name for name, found in wrong.items() if isinstance(found, ProviderError) and "no [DONE]" in wrong}
        check(not wrong.keys() - strict, f"calls with these deviations are not read: {wrong}")

    async def test_the_usual_end_may_be_missing(self, tool_subject: Subject) -> None:
        """An answer has calls if there are some, also if the service says that it has ended as one without calls."""
        offered("call", lambda: tool_subject.service.call(*_CALLS, finish="stop"))
        heard = await _asked(tool_subject)
        _check_calls(heard, "calls with the finish reason of an ordinary answer")
        check(heard.finished.reason == "stop", f"its reason is {heard.finished.reason!r}")

    async def test_a_cut_off_call_is_told_as_such(self, tool_subject: Subject) -> None:
        """An answer that ended at the token limit says so, so that its last call is not made."""
        try:
            tool_subject.service.call(ToolCall("", CLOCK, _CUT_OFF), finish="length")
        except NotImplementedError:
            # Of a service that sends arguments as an object.
            offered("call", lambda: tool_subject.service.call(_CALLS[0], finish="length"))
        heard = await _asked(tool_subject)
        check(heard.finished.reason == "length", f"a call cut off at the limit ends with {heard.finished.reason!r}")

    async def test_calls_without_an_end_are_not_made(self, tool_subject: Subject) -> None:
        """Calls before a connection closes, without the end of the answer, are not yielded, since more may follow.

        The request may be sent again.
        """
        offered("call", lambda: tool_subject.service.call(*_CALLS, cut=True))
        with suppress(ProviderError):
            calls = whole_calls(await _asked(tool_subject))
            check(not calls, f"an answer that broke off has the calls {calls}")

    async def test_invalid_arguments_are_passed_on(self, tool_subject: Subject) -> None:
        """Arguments that are no JSON are yielded as they are: the bot tells the model what is wrong with them."""
        for arguments in (_CUT_OFF, "zone=Berlin", '["Berlin"]'):
            try:
                tool_subject.service.call(ToolCall("", CLOCK, arguments))
            except NotImplementedError:
                pytest.skip("the service sends arguments as an object")
            found = [call.arguments for call in whole_calls(await _asked(tool_subject))]
            check(found == [arguments], f"the arguments {arguments!r} became {found}")

    async def test_no_arguments_are_an_empty_object(self, tool_subject: Subject) -> None:
        """A call without arguments has ``{}`` or nothing."""
        for arguments in ("{}", ""):
            with suppress(NotImplementedError):
                tool_subject.service.call(ToolCall("", "planets", arguments))
                found = [call.arguments.strip() for call in whole_calls(await _asked(tool_subject))]
                check(found in [["{}"], [""]], f"a call without arguments became {found}")

    async def test_deltas_are_those_of_the_calls(self, tool_subject: Subject) -> None:
        """A ToolCallDelta, if there are any, names the tool of a call, and holds pieces of its arguments."""
        offered("call", lambda: tool_subject.service.call(_CALLS[0]))
        heard = await _asked(tool_subject)
        deltas = [event for event in heard.events if isinstance(event, ToolCallDelta)]
        names = {delta.name for delta in deltas} - {""}
        check(names <= {CLOCK}, f"the deltas of a call of {CLOCK} name {names}")
        written = "".join(delta.arguments for delta in deltas)
        (call,) = whole_calls(heard)
        check(not written or written in call.arguments, f"the deltas say {written!r}, and the call {call.arguments!r}")

    async def test_refused_tools_are_told_as_such(self, tool_subject: Subject) -> None:
        """A model that can't call tools raises Unsupported with the code ``tools_unsupported``."""
        try:
            tool_subject.service.refuse_tools()
        except NotImplementedError:
            pytest.skip("all models of the service call tools")
        with raising(Unsupported, "the service refuses tools for this model") as caught:
            await _asked(tool_subject)
        code = caught.value.code
        check(code == "tools_unsupported", f"the error for a model without tools has the code {code!r}")
        heard = await tool_subject.hear(tool_subject.ask("Hello"))
        check(heard.text == "Hello", "the same question without tools has no answer")

    async def test_tools_are_counted(self, tool_subject: Subject) -> None:
        """``count_tokens`` counts the tools as well, if it counts."""
        plain = tool_subject.ask("word")
        alone, more = [await tool_subject.provider.count_tokens(each) for each in (plain, replace(plain, tools=TOOLS))]
        check(
            alone is None or (more is not None and more > alone),
            f"count_tokens says {alone} without tools and {more} with some",
        )


async def _asked(subject: Subject) -> Heard:
    return await subject.hear(subject.ask("Hello", tools=TOOLS))


def _check_calls(heard: Heard, what: str) -> None:
    found = [(call.name, arguments_of(call)) for call in whole_calls(heard)]
    check(found == _WANTED, f"{what}: {_WANTED} became {found}")
