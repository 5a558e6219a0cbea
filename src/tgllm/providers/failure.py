"""Failed responses of services, and the matching errors of the plugin API."""

import math
import re
from collections.abc import Mapping, Sequence
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
from tgllm.providers.json_values import as_list, as_object, as_text, parse_json

__all__ = ["Failure", "explain", "wait_hint"]

_MAX_WORDS = 300
"""Maximum characters of a service's message in an error."""

_TOO_LONG = re.compile(
    r"maximum context length|context[_ ](length|window)|context_length_exceeded|too many tokens|prompt is too long"
    r"|token count .* exceeds|exceeds? .*max(imum)? .*tokens|input is too long",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(r"model[_ ]not[_ ]found|invalid model|model .*(does not|not) exist|unknown model", re.IGNORECASE)
_NO_CREDIT = re.compile(r"insufficient[_ ](quota|balance|credit)|out of credit|billing_hard_limit", re.IGNORECASE)
_FILTERED = re.compile(r"content[_ ](policy|filter|exists risk)|safety|moderation", re.IGNORECASE)
_TOO_MANY = re.compile(r"rate[_ ]?limit|too[_ ]many[_ ]requests", re.IGNORECASE)
_NO_SUCH_PART = re.compile(
    r"(image|vision|audio|document|file|multimodal).*(not (enabled|supported|available)|unsupported)"
    r"|(not support|unsupported).*(image|vision|audio|document|file|multimodal)",
    re.IGNORECASE,
)


_BY_WORDS: tuple[tuple[re.Pattern[str], type[ProviderError]], ...] = (
    (_TOO_LONG, ContextTooLong),
    (_NO_CREDIT, QuotaExceeded),
    (_NO_MODEL, ModelNotFound),
    (_FILTERED, Refused),
    (_NO_SUCH_PART, Unsupported),
)
_SHARED = frozenset({0, 400, 403, 404, 413, 422, 429})
"""Status codes that services use for several kinds of errors."""

_BY_STATUS: Mapping[int, type[ProviderError]] = {
    402: QuotaExceeded,
    404: ModelNotFound,
    413: Unsupported,
    **dict.fromkeys((400, 405, 409, 415, 422), ProviderError),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call, without secrets; created by ``ProviderHttp``."""

    host: str
    status: int
    """HTTP status; 0 for an error inside a stream that has none."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """By lower-case name."""
    body: bytes = b""

    @property
    def json(self) -> JsonObject:
        """The body as an object, regardless of its content type; empty if it is not one."""
        try:
            return as_object(parse_json(self.body))
        except BadResponse:
            return {}

    @property
    def words(self) -> str:
        """The service's error message, in one line of at most 300 characters; empty if the body is not JSON."""
        return " ".join(_words(self.json).split())[:_MAX_WORDS]

    @property
    def kind(self) -> str:
        """The service's own type and code of the error."""
        error = as_object(self.json.get("error")) or self.json
        return " ".join(str(error[key]) for key in ("type", "code", "status") if error.get(key) is not None)

    def __str__(self) -> str:
        said = f": {self.words}" if self.words else ""
        return f"{self.host} answered {self.status or 'with an error'}{said}"


def explain(failure: Failure) -> ProviderError:
    """Map a failure to an error, by HTTP status and common messages.

    For status codes that are used for several kinds of errors, such as 400, the message takes precedence. A plugin maps
    the special cases of its service and uses this function for the rest.
    """
    said = f"{failure.words} {failure.kind}"
    if failure.status in _SHARED and (kind := next((kind for words, kind in _BY_WORDS if words.search(said)), None)):
        return kind(str(failure))
    if failure.status in {401, 403}:
        # The service's message may contain a part of the key.
        return AuthFailed(f"{failure.host} refused the key ({failure.status})")
    if failure.status == 404 and not failure.json:
        return BadResponse(f"{failure} (is base_url right?)")
    if kind := _BY_STATUS.get(failure.status):
        return kind(str(failure))
    return _to_try_again(failure)


def _to_try_again(failure: Failure) -> ProviderError:
    if failure.status in {425, 429} or (failure.status == 0 and _TOO_MANY.search(failure.kind)):
        return RateLimited(str(failure), retry_after=wait_hint(failure))
    if failure.status in {0, 408} or failure.status >= 500:
        return Unavailable(str(failure), retry_after=wait_hint(failure))
    return BadResponse(f"{failure} (is base_url right?)")


def wait_hint(failure: Failure) -> float | None:
    """Return the wait in ``retry-after-ms`` or ``Retry-After`` (RFC 9110, 10.2.3), in seconds."""
    if (milliseconds := _number(failure.headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    text = failure.headers.get("retry-after")
    if (seconds := _number(text)) is not None:
        return seconds
    return _until(text, failure.headers.get("date"))


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


def _words(value: Json) -> str:
    """Return the message in ``{"error": {"message"}}``, ``{"message"}`` or ``{"detail": [{"loc", "msg"}]}``."""
    if not isinstance(value, Mapping):
        return as_text(value) if isinstance(value, str) else "; ".join(map(_complaint, as_list(value)))
    found = (value.get(key) for key in ("error", "message", "detail"))
    return next((words for item in found if item and (words := _words(item))), "")


def _complaint(value: Json) -> str:
    """Return one entry of a list of field errors, without its ``input``, which may contain a person's text."""
    complaint = as_object(value)
    place = as_list(complaint.get("loc"))
    return f"{_dotted(place)}: {as_text(complaint.get('msg'))}" if place else _words(value)


def _dotted(place: Sequence[Json]) -> str:
    return ".".join(str(step) for step in place)
