"""Errors of llm, of its plugins and of the services' own libraries, as errors of the plugin API."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import llm

from tgllm.api.errors import BadResponse, ProviderError, Unavailable, Unsupported
from tgllm.providers.failure import Failure, explain
from tgllm_llm.keys import no_key

__all__ = ["explained"]

_UNREACHABLE: Final = ("connect", "timeout", "network", "remoteprotocol", "readerror", "disconnect", "proxyerror")
"""Parts of the names of errors with which libraries say that a service can't be reached."""
_HIDDEN: Final = "***"


def explained(error: BaseException, model: Any, keys: Iterable[str] = ()) -> ProviderError:  # noqa: ANN401  llm's models
    """Return the error that fits to what a plugin of llm has raised.

    Args:
        error: what was raised.
        model: the model that was asked.
        keys: keys that may be part of the words of ``error``; the result has none.
    """
    name = str(model.model_id)
    match error:
        case ProviderError():
            return error
        case llm.NeedsKeyException():
            return no_key(name, str(model.needs_key), str(model.key_env_var or ""))
        case llm.ConversationNotSupported():
            return Unsupported(f"{name} takes one question at a time: start a new conversation before each")
        case NotImplementedError():
            return Unsupported(f"{name}: {_hidden(str(error), keys)}")
        case _:
            pass
    chain = list(_chain(error))
    for each in chain:
        if failure := _failure(each, name, keys):
            return explain(failure)
    if any(_is_unreachable(each) for each in chain):
        return Unavailable(f"the service of {name} can't be reached or is too slow ({type(error).__name__})")
    if isinstance(error, llm.ModelError):
        found = explain(_of_words(name, str(error), keys))
        return ProviderError(str(found)) if isinstance(found, Unavailable) else found
    # Its words may contain the question.
    return BadResponse(f"the plugin of {name} has failed: {type(error).__name__}; `llm -m {name} hi` shows why")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def _failure(error: Any, name: str, keys: Iterable[str]) -> Failure | None:  # noqa: ANN401  errors of many libraries
    """Return the response that an error of an SDK or of an HTTP client is about; None if it is about none."""
    response = getattr(error, "response", None)
    status = _number(getattr(error, "status_code", None)) or _number(getattr(response, "status_code", None))
    body: object = getattr(error, "body", None)
    if status is None and not isinstance(body, Mapping):
        return None
    headers = getattr(response, "headers", None)
    read = {str(key).lower(): str(value) for key, value in dict(cast("Any", headers) or {}).items()}
    return Failure(name, status or 0, read, _hidden(_text_of(error, body, response), keys).encode())


def _text_of(error: object, body: Any, response: object) -> str:  # noqa: ANN401  as the errors of many libraries have it
    """Return the body of a response, as far as the error or the response still has it."""
    if isinstance(body, Mapping):
        read = cast("Mapping[str, object]", body)
        return json.dumps(read if "error" in read else {"error": dict(read)}, default=str)
    if isinstance(body, str | bytes) and body:
        return body if isinstance(body, str) else body.decode(errors="replace")
    try:
        text = getattr(response, "text", "")
    except Exception:  # noqa: BLE001  a stream that was not read
        text = ""
    return text if isinstance(text, str) and text else json.dumps({"error": {"message": str(error)}})


def _of_words(name: str, words: str, keys: Iterable[str]) -> Failure:
    return Failure(name, 0, {}, json.dumps({"error": {"message": _hidden(words, keys)}}).encode())


def _is_unreachable(error: BaseException) -> bool:
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    return any(part in type(error).__name__.lower() for part in _UNREACHABLE)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _hidden(words: str, keys: Iterable[str]) -> str:
    for key in keys:
        if key:
            words = words.replace(key, _HIDDEN)
    return words
