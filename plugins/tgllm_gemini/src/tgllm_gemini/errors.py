"""What the Gemini API and Google's SDK say when they fail, as errors of the contract (Gemini API: API errors)."""

import json
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import cast

from google.auth import exceptions as auth
from google.genai import errors

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
from tgllm.providers.http import transport_errors
from tgllm.providers.json_values import as_list, as_object, as_text

__all__ = ["Outdated", "explain_gemini", "sdk_errors"]

_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)s")
_LOST_FILE = re.compile(r"access the File .* may not exist|File .* not in an ACTIVE state", re.IGNORECASE)


class Outdated(ProviderError):
    """Something kept from an earlier answer, a signature or an uploaded file, is not taken any more."""


@contextmanager
def sdk_errors(host: str, idle_seconds: float, hide: Callable[[str], str]) -> Generator[None]:
    """Turn what the SDK raises into errors of the contract.

    Args:
        host: the name or address of the service, for messages.
        idle_seconds: the limit that the client was made with, for messages.
        hide: takes the key out of a text.

    Raises:
        ProviderError: of the kind that fits.
    """
    try:
        with transport_errors(host, idle_seconds, hide):
            yield
    # The originals hold what the server said, which may repeat the key, so they are not kept as the cause.
    except errors.APIError as error:
        details = cast("Json", error.details)  # pyright: ignore[reportUnknownMemberType]  whatever JSON came
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
    # The SDK's own complaints about answers that it can't read, pydantic's among them.
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise BadResponse(f"{host} sent an answer that can't be read: {type(error).__name__}") from None


def _body(details: Json) -> str:
    """The error's JSON; empty for what is no answer of the API, such as a proxy's page, which the SDK wraps."""
    found = as_object(as_list(details)[0] if as_list(details) else details)
    return json.dumps(found, default=str) if "error" in found else ""


def explain_gemini(failure: Failure) -> ProviderError:
    """The error for a failure. A wrong key is 400, a wait stands in the body, and 429 may last for the day."""
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
    if _LOST_FILE.search(words) or "thought signature" in words:
        return Outdated(str(failure))
    if "mime type" in words or "payload size" in words:
        return Unsupported(str(failure))
    if "FAILED_PRECONDITION" in failure.kind:
        # The country or the billing of the account: neither waiting nor another key of the account helps.
        return ProviderError(str(failure))
    return None


def _too_much(failure: Failure, details: list[JsonObject]) -> ProviderError:
    violations = [as_object(item) for detail in details for item in as_list(detail.get("violations"))]
    if any("perday" in as_text(item.get("quotaId")).lower() for item in violations):
        return QuotaExceeded(str(failure))
    return RateLimited(str(failure), retry_after=next(_waits(details), None))


def _waits(details: list[JsonObject]) -> Iterator[float]:
    """The waits in seconds that RetryInfo asks for (google.rpc.RetryInfo)."""
    for detail in details:
        if found := _SECONDS.fullmatch(as_text(detail.get("retryDelay"))):
            yield float(found[1])
