"""Tests of the list of models."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from tgllm.api import AuthFailed, ModelInfo, ProviderError
from tgllm.testing.conformance.checking import check, not_covered, offered, raising
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.subject import Subject

__all__ = ["ModelTests"]

_BROKEN: Mapping[str, bytes] = {
    "nothing": b"",
    "text": b"upstream connect error",
    "a page": b"<html><head><title>Welcome</title></head><body>Sign in</body></html>",
    "half a list": b'{"data": [{"id": "one", "object": "mo',
    "an error": b'{"error": {"message": "The list is on strike", "type": "server_error"}}',
    "another object": b'{"detail": "no upstream"}',
    "null": b"null",
}
"""Bodies with the status 200 that are no list."""


class ModelTests(Kit):
    """The list is complete, or there is an error."""

    async def test_every_model_is_listed(self, subject: Subject) -> None:
        """``list_models`` has the chat models of all pages, and nothing that is no chat model."""
        expected, listed = _models(subject), await subject.provider.list_models()
        names = {name for model in listed for name in (model.id, *model.aliases)}
        missing = [model.id for model in expected if model.id not in names]
        check(
            not missing, f"read all pages: {missing[:3]} and others are not listed; {len(missing)} of {len(expected)}"
        )
        known = {name for model in expected for name in (model.id, *model.aliases)}
        strange = [model.id for model in listed if not known & {model.id, *model.aliases}]
        check(not strange, f"these are listed, and are no chat models of the service: {strange}")

    async def test_models_are_described(self, subject: Subject) -> None:
        """Context windows, capabilities and prices are those of the service, or of the plugin's own tables."""
        expected, listed = _models(subject), await subject.provider.list_models()
        by_name = {name: model for model in listed for name in (model.id, *model.aliases)}
        pairs = [(model, by_name[model.id]) for model in expected if model.id in by_name]
        wrong = [complaint for wanted, found in pairs for complaint in _differences(wanted, found)]
        check(not wrong, "; ".join(wrong[:5]))

    async def test_a_broken_list_is_an_error(self, subject: Subject) -> None:
        """A response that is no list raises an error, so that the bot keeps the list that it has."""
        wrong: dict[str, str] = {}
        for form, body in _BROKEN.items():
            offered("respond", lambda body=body: subject.service.respond(200, body))
            try:
                wrong[form] = f"became {await subject.provider.list_models()}"
            except ProviderError:
                continue
            except Exception as error:  # noqa: BLE001  anything else is what the test has to find
                wrong[form] = f"raised {error!r}, which is no ProviderError"
        check(not wrong, f"list_models has to raise an error for these responses: {wrong}")

    async def test_a_list_that_breaks_off_is_an_error(self, subject: Subject) -> None:
        """If a further page can't be had, there is an error, and not a part of the list."""
        expected = _models(subject)
        offered("respond", lambda: subject.service.respond(503, b"{}", skip=1))
        try:
            listed = await subject.provider.list_models()
        except ProviderError:
            return
        names = {name for model in listed for name in (model.id, *model.aliases)}
        missing = [model.id for model in expected if model.id not in names]
        check(not missing, f"the second page failed, and the list has {len(listed)} of {len(expected)}")

    async def test_the_list_is_asked_for_anew(self, subject: Subject) -> None:
        """An error is raised even if there was a list before: the bot itself keeps the previous one."""
        await subject.provider.list_models()
        offered("fail", lambda: subject.service.fail(AuthFailed))
        with raising(AuthFailed, "the service refuses the key"):
            await subject.provider.list_models()


def _models(subject: Subject) -> Sequence[ModelInfo]:
    try:
        inspect.signature(subject.service.models).bind()
    except TypeError:
        # A method of the author's own with this name.
        not_covered("override models")
    return offered("models", subject.service.models)


def _differences(wanted: ModelInfo, found: ModelInfo) -> Iterator[str]:
    default = ModelInfo(wanted.id)
    for field in fields(ModelInfo):
        value, there = getattr(wanted, field.name), getattr(found, field.name)
        if field.name in {"id", "aliases"} or value == getattr(default, field.name):
            continue
        same = value <= there if field.name == "mime_types" else value == there
        if not same:
            yield f"{field.name} of {wanted.id} is {there!r}, and {value!r} at the service"
