"""Mapping of errors of the Gemini API and Google's SDK to errors of the plugin API (Gemini API: API errors)."""

import json
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import cast

from google.auth import exceptions as auth
from google.genai import errors
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from tgllm.api.errors import (
    AuthFailed,
    BadResponse,
    NotConfigured,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Unavailable,
    Unsupported,
)
from tgllm.api.types import Json, JsonObject
from tgllm.providers.failure import Failure, explain
from tgllm.providers.http import dropped_context, transport_errors
from tgllm.providers.json_values import as_list, as_object, as_text, kind_of

__all__ = ["Outdated", "explain_gemini", "sdk_errors"]

_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)s")
_OUTDATED = re.compile(
    r"access the File .* may not exist|File .* not in an ACTIVE state"
    # Calls of tools and their results that don't belong together, as of a conversation that was cut.
    r"|function (call|response) (turn|parts?)|thought.signature",
    re.IGNORECASE,
)
_NO_TOOLS = re.compile(
    r"function calling.{0,60}not (enabled|supported)|tool use.{0,60}(not |un)supported", re.IGNORECASE
)
_NO_QUOTA = re.compile(r"limit: 0\b")
"""Part of the message for a model that the account's plan does not include."""


class Outdated(ProviderError):
    """The API does not accept data of an earlier answer: a signature, a call of a tool, or an uploaded file."""


_KINDS = {
    "string": "text",
    "enum": "text",
    "bytes": "text",
    "list": "a list",
    "tuple": "a list",
    "model": "an object",
    "dict": "an object",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
}
"""Kinds of JSON values by the beginning of pydantic's error types."""


@contextmanager
def sdk_errors(host: str, idle_seconds: float, hide: Callable[[str], str]) -> Generator[None]:
    """Convert exceptions of the SDK to errors of the plugin API.

    Args:
        host: the name or address of the service, for messages.
        idle_seconds: the client's idle timeout, for messages.
        hide: redacts the key in a text.

    Raises:
        ProviderError: the subclass that fits.
    """
    with dropped_context(), _converted(host, idle_seconds, hide):
        yield


@contextmanager
def _converted(host: str, idle_seconds: float, hide: Callable[[str], str]) -> Generator[None]:
    try:
        with transport_errors(host, idle_seconds, hide):
            yield
    # The original errors contain the server's message, which may repeat the key, so they are not kept as the cause.
    except errors.APIError as error:
        details = cast("Json", error.details)  # pyright: ignore[reportUnknownMemberType]  any JSON
        raise explain_gemini(Failure(host, error.code, {}, hide(_body(details)).encode())) from None
    except auth.TransportError:
        raise Unavailable("Google's sign-in service can't be reached") from None
    except auth.DefaultCredentialsError:
        raise NotConfigured(
            "there are no Google credentials: run `gcloud auth application-default login`, "
            "or set GOOGLE_APPLICATION_CREDENTIALS"
        ) from None
    except auth.GoogleAuthError:
        raise AuthFailed("Google refused the credentials; sign in again") from None
    # Errors of the SDK for responses that it can't parse, pydantic's included, and those of deeply nested JSON.
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise BadResponse(f"{host} sent an answer that can't be read: {_what_is_wrong(error)}") from None


def _what_is_wrong(error: Exception) -> str:
    """Return the field with a value of the wrong type, and never the value; otherwise the type of the error."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    found = error.errors(include_url=False)[0]
    # As the API writes them; the SDK calls some fields finish_reason, and others finishReason.
    names = (step if isinstance(step, int) else to_camel(step) for step in found["loc"])
    place = "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in names).removeprefix(".")
    wanted = next((words for kind, words in _KINDS.items() if found["type"].startswith(kind)), "another value")
    return f"{place}: expected {wanted}, got {kind_of(found['input'])}"


def _body(details: Json) -> str:
    """Return the error's JSON, or the text of what is not from the API, such as a proxy's page, which the SDK wraps."""
    found = as_object(as_list(details)[0] if as_list(details) else details)
    return json.dumps(found, default=str) if "error" in found else as_text(found.get("message"))


def explain_gemini(failure: Failure) -> ProviderError:
    """Map a failure to an error. An invalid key is 400, the body has the retry delay, and 429 may be a daily quota."""
    details = [as_object(detail) for detail in as_list(as_object(failure.json.get("error")).get("details"))]
    if failure.status == 429:
        return _too_much(failure, details)
    if failure.status in {400, 403} and (special := _special(failure, details)):
        return special
    return explain(failure)


def _special(failure: Failure, details: list[JsonObject]) -> ProviderError | None:
    words = failure.words.lower()
    if any(as_text(detail.get("reason")) == "API_KEY_INVALID" for detail in details) or "api key" in words:
        return AuthFailed(f"{failure.host} refused the key")
    if _NO_TOOLS.search(words):
        return Unsupported(str(failure), code="tools_unsupported")
    if _OUTDATED.search(words):
        return Outdated(str(failure))
    if "mime type" in words or "payload size" in words:
        return Unsupported(str(failure))
    if "FAILED_PRECONDITION" in failure.kind:
        # The account's country or billing: neither a retry nor another key of the account helps.
        return ProviderError(str(failure))
    return None


def _too_much(failure: Failure, details: list[JsonObject]) -> ProviderError:
    violations = [as_object(item) for detail in details for item in as_list(detail.get("violations"))]
    is_daily = any("perday" in as_text(item.get("quotaId")).lower() for item in violations)
    if is_daily or _NO_QUOTA.search(failure.message):
        return QuotaExceeded(str(failure))
    known = explain(failure)
    if not isinstance(known, RateLimited):
        # Exhausted credit, or a lack of capacity that has nothing to do with the account.
        return known
    return RateLimited(str(failure), retry_after=next(_waits(details), known.retry_after))


def _waits(details: list[JsonObject]) -> Iterator[float]:
    """Yield the retry delays in seconds (google.rpc.RetryInfo)."""
    for detail in details:
        if found := _SECONDS.fullmatch(as_text(detail.get("retryDelay"))):
            yield float(found[1])
