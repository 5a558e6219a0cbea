"""Questions of servers to people (elicitation), as buttons in the chat."""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from mcp_types import ElicitRequestParams, ElicitRequestURLParams, ElicitResult

from tgllm.api.tools import Ask, ToolUse
from tgllm_mcp.naming import clean_text

if TYPE_CHECKING:
    from mcp.client import ClientRequestContext

__all__ = ["Questions"]

_MOST_FIELDS = 8
_MOST_CHOICES = 20
_LONGEST_CHOICE = 60
_LONGEST_QUESTION = 900

Answer = str | int | float | bool | list[str] | None


@dataclass(eq=False, slots=True)
class _Call:
    """A running call, and why a question of it was not answered."""

    use: ToolUse
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A server may ask several questions at once; a person is asked one after another."""
    declined: str = ""
    questions: set["asyncio.Task[ElicitResult]"] = field(default_factory=set["asyncio.Task[ElicitResult]"])
    """Questions that wait for the person, or for an earlier question."""


_current: ContextVar[_Call | None] = ContextVar("_current", default=None)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    label: str
    choices: Mapping[str, Answer]
    """Values by the labels of the buttons."""


class Questions:
    """Running calls of a server, and the questions that it asks meanwhile."""

    def __init__(self) -> None:
        self._running: set[_Call] = set()

    @contextmanager
    def during(self, use: ToolUse) -> Generator[_Call]:
        """Let the server ask the person of a call while it runs."""
        call = _Call(use)
        self._running.add(call)
        token = _current.set(call)
        try:
            yield call
        finally:
            _current.reset(token)
            self._running.discard(call)
            # A server of the old era may give its result without waiting for its questions.
            for question in call.questions:
                question.cancel()

    async def ask(self, context: "ClientRequestContext", params: ElicitRequestParams) -> ElicitResult:
        """Answer a question of the server: by buttons, or with a refusal if it can't be asked by them."""
        del context
        call = self._asked()
        if call is None:
            return ElicitResult(action="decline")
        ask = call.use.ask
        if ask is None:
            call.declined = "no one can be asked here"
            return ElicitResult(action="decline")
        question = asyncio.create_task(_answer(call, ask, params))
        call.questions.add(question)
        question.add_done_callback(call.questions.discard)
        try:
            await asyncio.wait({question})
        finally:
            question.cancel()
        return ElicitResult(action="cancel") if question.cancelled() else question.result()

    def _asked(self) -> _Call | None:
        """Return the call to which a question belongs; None if that is not certain, as it must reach no one else."""
        call = _current.get()
        if call is not None and call in self._running:
            return call
        # Servers of the old era ask on the connection, not in a call: only a single call is unmistakable.
        if len(self._running) == 1:
            return next(iter(self._running))
        for other in self._running:
            other.declined = "the server has asked a question while several calls were running; call it alone"
        return None


async def _answer(call: _Call, ask: Ask, params: ElicitRequestParams) -> ElicitResult:
    async with call.lock:
        if isinstance(params, ElicitRequestURLParams):
            return await _ask_url(call, ask, params)
        return await _ask_form(call, ask, params.message, params.requested_schema)


async def _ask_url(call: _Call, ask: Ask, params: ElicitRequestURLParams) -> ElicitResult:
    if not params.url.startswith(("https://", "http://")) or len(params.url) > 2_000:
        call.declined = "the server wants to open an address that is no web page"
        return ElicitResult(action="decline")
    done = await ask(clean_text(params.message, _LONGEST_QUESTION) or params.url[:200], url=params.url)
    return ElicitResult(action="accept" if done is not None else "decline")


async def _ask_form(call: _Call, ask: Ask, message: str, schema: Mapping[str, object]) -> ElicitResult:
    fields = _fields(schema)
    if isinstance(fields, str):
        call.declined = fields
        return ElicitResult(action="decline")
    content: dict[str, Answer] = {}
    question = clean_text(message, _LONGEST_QUESTION)
    for number, each in enumerate(fields):
        # The message explains all fields, so it stands above the first.
        parts = [question if number == 0 else "", each.label if len(fields) > 1 or not question else ""]
        chosen = await ask("\n\n".join(filter(None, parts)) or each.name, tuple(each.choices))
        if chosen is None or chosen not in each.choices:
            return ElicitResult(action="decline" if chosen is None else "cancel")
        content[each.name] = each.choices[chosen]
    if not fields and await ask(question or "OK?", ("OK",)) is None:
        return ElicitResult(action="decline")
    return ElicitResult(action="accept", content=content)


def _fields(schema: Mapping[str, object]) -> list[_Field] | str:
    """Return the fields of a form, or why it can't be asked by buttons."""
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        return "the server asks with a form that can't be read"
    fields: list[_Field] = []
    required = schema.get("required", ())
    for name, value in cast("Mapping[str, object]", properties).items():
        form = cast("Mapping[str, object]", value if isinstance(value, Mapping) else {})
        choices = _choices(form)
        if choices is None:
            if isinstance(required, list) and name not in required:
                continue
            return (
                f"the server asks for {clean_text(name, 60)!r} in words, which can't be done by buttons; ask "
                "the person in the chat, and pass it as an argument if the tool takes one"
            )
        label = form.get("title") or form.get("description") or name
        fields.append(_Field(name, clean_text(str(label), 300), choices))
    if len(fields) > _MOST_FIELDS:
        return f"the server asks too many questions at once: {len(fields)}, more than {_MOST_FIELDS}"
    return fields


def _choices(form: Mapping[str, object]) -> Mapping[str, Answer] | None:
    if form.get("type") == "boolean":
        return {"✅": True, "❌": False}
    values, labels = form.get("enum"), form.get("enumNames")
    options = form.get("oneOf") or form.get("anyOf")
    if isinstance(options, list):
        pairs = [cast("Mapping[str, object]", one) for one in cast("list[object]", options) if isinstance(one, Mapping)]
        values = [one.get("const") for one in pairs]
        labels = [one.get("title") for one in pairs]
    if not isinstance(values, list) or not 0 < len(cast("list[object]", values)) <= _MOST_CHOICES:
        return None
    known = cast("list[object]", labels if isinstance(labels, list) else ())
    found: dict[str, Answer] = {}
    for number, value in enumerate(cast("list[object]", values)):
        if not isinstance(value, str | int | float):
            return None
        label = known[number] if number < len(known) and isinstance(known[number], str) else value
        text = clean_text(str(label), _LONGEST_CHOICE)
        found[text if text and text not in found else f"{text} ({number + 1})"] = value
    return found
