"""Tests of the settings of a request, which are sent or refused."""

from typing import Any

import pytest

from tgllm.api import ProviderError, ReasoningEffort, Unsupported
from tgllm.testing.conformance.checking import check, offered
from tgllm.testing.conformance.json_leaves import added
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.subject import Subject

__all__ = ["OptionTests"]

_EFFORTS: tuple[ReasoningEffort, ...] = ("none", "low", "medium", "high")
_USER_KEY = "3f786850e387550fdab836ed7e6dc881de23001b"


class OptionTests(Kit):
    """No setting of a request is dropped silently."""

    @pytest.mark.parametrize(("field", "value"), [("temperature", 0.0), ("max_output_tokens", 1)])
    async def test_a_small_value_arrives_or_is_refused(self, subject: Subject, field: str, value: float) -> None:
        """Zero and one are values like any other; only None means that there is none."""
        plain = await _body(subject)
        body = await _body(subject, **{field: value})
        found = body is None or any(
            isinstance(one, int | float) and not isinstance(one, bool) and one == value for _, one in added(body, plain)
        )
        check(found, f"{field}={value} was dropped: send it (test for None, not for truth), or raise Unsupported")

    @pytest.mark.parametrize("effort", _EFFORTS)
    async def test_a_reasoning_effort_arrives_or_is_refused(self, subject: Subject, effort: ReasoningEffort) -> None:
        """Each effort makes another request than none at all, or raises Unsupported."""
        plain, body = await _body(subject), await _body(subject, reasoning_effort=effort)
        if body is not None and effort == "none" and not await _reasons(subject):
            return
        check(
            body is None or added(body, plain),
            f"reasoning_effort={effort!r} was dropped: send it, or raise Unsupported",
        )

    async def test_reasoning_efforts_differ(self, subject: Subject) -> None:
        """No reasoning, little and much are different requests."""
        bodies = {effort: await _body(subject, reasoning_effort=effort) for effort in ("none", "low", "high")}
        sent = [(effort, body) for effort, body in bodies.items() if body is not None]
        same = [(one, two) for one, first in sent for two, second in sent if one < two and first == second]
        check(not same, f"these reasoning efforts make the same request: {same}")

    async def test_the_user_key_arrives(self, subject: Subject) -> None:
        """``user_key`` is sent, by which a service tells an abuser from the other people of the bot."""
        body = await _body(subject, user_key=_USER_KEY)
        found = body is None or any(_USER_KEY in str(value) for _, value in added(body, None))
        check(found, "user_key was dropped: send it, or exempt this test if the service has no field for it")


async def _body(subject: Subject, **fields: Any) -> object | None:  # noqa: ANN401  fields of ChatRequest, of many types
    """Return the body of a request with these fields; None if they are refused."""
    try:
        await subject.hear(subject.ask("Hello", **fields))
    except Unsupported:
        return None
    except ProviderError:
        # The service refuses the value itself: it has arrived.
        pass
    return offered("sent", subject.service.sent)


async def _reasons(subject: Subject) -> bool:
    models = await subject.provider.list_models()
    return any(model.reasoning for model in models if subject.service.model in {model.id, *model.aliases})
