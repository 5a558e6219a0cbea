"""Mapping of errors of the Anthropic API to errors of the plugin API (Anthropic API: errors)."""

import re
from collections.abc import Mapping
from dataclasses import replace

from tgllm.api.errors import BadResponse, ProviderError, Unavailable, Unsupported
from tgllm.providers.failure import Failure, explain, wait_hint

__all__ = ["Outdated", "explain_anthropic"]

_BY_TYPE: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Status of each type of error, for errors inside a stream, which have none."""
_INVALID = 400
_CONFLICT = 409
_THOUGHTS = re.compile(
    r"messages\.\d+\..{0,200}(thinking|signature)|signature.{0,40}thinking|thinking. (or .redacted_thinking. )?blocks",
    re.IGNORECASE,
)
_FILES = re.compile(
    r"(image|pdf|document|media_type|base64).{0,120}(exceed|maximum|too (large|many)|invalid|password|corrupt|allowed)"
    r"|(maximum|at most|too many).{0,60}(pdf pages|images)"
    r"|(could not|unable to) process",
    re.IGNORECASE,
)
_INSIDE = re.compile(r"(thinking|output_config|metadata|cache_control)\.[\w.]{1,80}: extra inputs", re.IGNORECASE)
"""A field inside of one that can be left out, as gateways for earlier versions of the API refuse it."""


class Outdated(BadResponse):
    """The API does not accept the reasoning of an earlier answer, as for a conversation that has changed since."""

    # A name of its own would need a text of its own.
    default_code = BadResponse.default_code


def explain_anthropic(failure: Failure) -> ProviderError:
    """Map a failure to an error."""
    if not failure.status:
        status = next((_BY_TYPE[code] for code in failure.codes if code in _BY_TYPE), 0)
        failure = replace(failure, status=status)
    found = explain(failure)
    if found.params and (inside := _INSIDE.match(failure.message)):
        found.params = {**found.params, "rejected_field": inside[1].lower()}
    if found.params.get("rejected_field") == "tools":
        return Unsupported(str(failure), code="tools_unsupported")
    if failure.status == _CONFLICT:
        return Unavailable(str(failure), retry_after=wait_hint(failure))
    if failure.status != _INVALID or type(found) is not ProviderError or found.params:
        return found
    if _THOUGHTS.search(failure.message):
        return Outdated(str(failure))
    return Unsupported(str(failure)) if _FILES.search(failure.message) else found
