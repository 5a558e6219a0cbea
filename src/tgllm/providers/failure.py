"""Failed responses of services, and the matching errors of the plugin API."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

from tgllm.api.errors import (
    AuthFailed,
    BadResponse,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Refused,
    Unavailable,
    Unsupported,
)
from tgllm.api.types import Json, JsonObject
from tgllm.providers.error_body import codes_of, cut_words, is_page, message_of, page_words
from tgllm.providers.error_rules import find_rule, refuses_tools
from tgllm.providers.json_values import as_list, as_object, parse_json, parse_sequence
from tgllm.providers.rejected_fields import RejectedField, find_rejected

__all__ = ["Failure", "explain", "incomplete", "wait_hint"]

_MAX_WORDS = 300
"""Maximum characters of a service's message in an error."""
_OK = 200
_FORBIDDEN = 403
_INVALID = 422
_TOOL_FIELDS = frozenset({"tools", "functions"})
"""Fields without which a model has no tools."""
_BY_STATUS: Mapping[int, type[ProviderError]] = {
    402: QuotaExceeded,
    404: ModelNotFound,
    410: ModelNotFound,
    413: Unsupported,
    425: RateLimited,
    429: RateLimited,
    451: Refused,
    **dict.fromkeys((400, 405, 409, 415, 422), ProviderError),
    **dict.fromkeys((0, 408, 498), Unavailable),
}
_BY_STATUS_ALONE: Mapping[int, type[ProviderError]] = {**_BY_STATUS, 400: ContextTooLong, 413: ContextTooLong}
"""Errors by status if the body is empty, as of Cerebras for a conversation that is too long."""
_TRY_AGAIN = re.compile(
    r"(?:try again|retry) (?:in|after) (?:(\d{1,3})h)?(?:(\d{1,3})m(?!s))?(?:(\d{1,6}(?:\.\d{1,9})?) ?(ms|s))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call, without secrets; created by ``ProviderHttp``."""

    host: str
    status: int
    """HTTP status; 0 for an error inside a stream that has none, 200 for what came in place of an answer."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """By lower-case name."""
    body: bytes = b""

    @property
    def json(self) -> JsonObject:
        """The body as an object, or the first one of several, whatever its content type; empty if there is none."""
        try:
            found = parse_json(self.body)
        except BadResponse:
            found = _first(self.body)
        return as_object(next(iter(as_list(found)), found))

    @property
    def words(self) -> str:
        """The service's error message in one line of at most 300 characters; of a page, its title or its text."""
        return self.message[:_MAX_WORDS]

    @property
    def message(self) -> str:
        """The service's error message in one line of at most 2000 characters."""
        known = self.json
        return message_of(known) or ("" if known else cut_words(self.body)) or page_words(self.body)

    @property
    def kind(self) -> str:
        """The service's own type and code of the error."""
        error = as_object(self.json.get("error")) or self.json
        return " ".join(str(error[key]) for key in ("type", "code", "status") if error.get(key) is not None)

    @property
    def codes(self) -> frozenset[str]:
        """All types, codes and reasons of the error, in lower case; see ``codes_of``."""
        return codes_of(self.json)

    def __str__(self) -> str:
        said = f": {self.words}" if self.words else ""
        return f"{self.host} answered {self.status or 'with an error'}{said}"


def explain(failure: Failure) -> ProviderError:
    """Map a failure to an error, by the rules of ``error_rules``, and otherwise by the HTTP status.

    A plugin maps the special cases of its service and uses this function for the rest. If the error is about a field of
    the request, its parameters name the field; see ``rejected_fields``. A model that takes no tools is Unsupported with
    the code ``tools_unsupported``.
    """
    codes, message = failure.codes, failure.message
    rejected = find_rejected(failure.status, codes, message, failure.json)
    # The words of a service that wants another value beside tools are about tools as well.
    wants_other = rejected is not None and rejected.value
    if (rejected and rejected.name in _TOOL_FIELDS) or (not wants_other and refuses_tools(failure.status, message)):
        return Unsupported(str(failure), code="tools_unsupported")
    if rejected:
        return _about(rejected, failure)
    rule = find_rule(failure.status, codes, message)
    return _made(rule.kind, failure) if rule else _by_status(failure)


def _by_status(failure: Failure) -> ProviderError:
    if failure.status == _FORBIDDEN and is_page(failure.body) and failure.words:
        return BadResponse(f"{failure} (a gateway in front of the service refused the request)")
    if failure.status in {401, _FORBIDDEN}:
        return _made(AuthFailed, failure)
    if failure.status == 404 and not failure.json:
        return BadResponse(f"{failure} (is base_url right?)")
    by_status = _BY_STATUS if failure.body.strip() else _BY_STATUS_ALONE
    if kind := by_status.get(failure.status):
        return _made(kind, failure)
    if failure.status >= 500 or (failure.status == _OK and failure.json.get("error")):
        return _made(Unavailable, failure)
    return BadResponse(f"{failure} (is base_url right?)")


def _about(rejected: RejectedField, failure: Failure) -> ProviderError:
    kind = ProviderError if failure.status == _INVALID else Unsupported
    error = kind(str(failure))
    error.params = rejected.params
    return error


def _made(kind: type[ProviderError], failure: Failure) -> ProviderError:
    if issubclass(kind, AuthFailed):
        # The service's message may contain a part of the key.
        return kind(f"{failure.host} refused the key ({failure.status or 'inside a stream'})")
    if issubclass(kind, RateLimited | Unavailable):
        return kind(str(failure), retry_after=wait_hint(failure))
    return kind(str(failure))


def wait_hint(failure: Failure) -> float | None:
    """Return the wait in ``retry-after-ms``, ``Retry-After`` (RFC 9110, 10.2.3) or the message, in seconds."""
    if (milliseconds := _number(failure.headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    text = failure.headers.get("retry-after")
    if (seconds := _number(text)) is not None:
        return seconds
    if (seconds := _until(text, failure.headers.get("date"))) is not None:
        return seconds
    return _wait_in(failure.message)


def _first(body: bytes) -> Json:
    """Return the JSON value at the beginning of a body that goes on with something else."""
    with suppress(BadResponse):
        return next(parse_sequence(body.decode(errors="replace")), None)
    return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _until(moment: str | None, now: str | None) -> float | None:
    """Return the seconds between two dates of the same server, independent of the local clock."""
    try:
        end, start = (parsedate_to_datetime(text or "").replace(tzinfo=UTC) for text in (moment, now))
    except (ValueError, OverflowError):
        return None
    return max(0.0, (end - start).total_seconds())


def _wait_in(message: str) -> float | None:
    """Return the seconds in words such as "try again in 6m0.5s"."""
    found = _TRY_AGAIN.search(message)
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds, unit = found.groups()
    rest = float(seconds or 0) / (1000 if (unit or "").lower() == "ms" else 1)
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + rest


def incomplete(host: str, *, has_begun: bool) -> Unavailable:
    """Return the error for an answer that ended too early.

    Args:
        host: the name or address of the service.
        has_begun: whether a part of an answer came, possibly an empty one.
    """
    if has_begun:
        return Unavailable(f"{host} closed the connection before the end: the answer is incomplete")
    return Unavailable(f"{host} sent an empty answer; try again, and check what is in front of the service")
