"""Errors of boto3 in words that say what to do; none of them holds a key."""

from typing import Any, Final, cast

from tgllm.config.sections.s3 import S3Section
from tgllm.observe.installation import install_command
from tgllm.services.files.storage.remote import StorageRefused, StorageUnavailable

__all__ = ["failure_of", "is_missing", "missing_boto3"]

_KEYS: Final = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"})
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})


def failure_of(error: Exception, settings: S3Section) -> StorageUnavailable:
    """Return the error to raise in place of one of boto3."""
    code, status = _answer_of(error)
    place = settings.endpoint or f"AWS ({settings.region})"
    kind = type(error).__name__
    if kind in {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}:
        return StorageRefused("S3 needs keys: set s3.access_key and s3.secret_key.")
    if code in _KEYS:
        return StorageRefused(f"The keys are refused by S3 at {place} ({code}): check s3.access_key and s3.secret_key.")
    if code == "NoSuchBucket":
        return StorageRefused(f"S3 at {place} has no bucket {settings.bucket}: create it, or correct s3.bucket.")
    if code == "RequestTimeTooSkewed":
        return StorageRefused(f"The time of this machine is refused by S3 at {place}: set its clock.")
    if code == "AccessDenied" or status in {401, 403}:
        return StorageRefused(
            f"Access to {settings.bucket} is denied by S3 at {place}: check s3.access_key and s3.secret_key, and that "
            "the key may read, write, list and delete there."
        )
    if code in {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}:
        return StorageRefused(f"S3 at {place} has the bucket {settings.bucket} in another region: correct s3.region.")
    if status is not None and 400 <= status < 500 and status not in {408, 429}:
        return StorageRefused(f"S3 at {place} can't do this ({code or status}): check s3.endpoint and s3.bucket.")
    return StorageUnavailable(
        f"S3 at {place} can't be reached or does not answer as it should ({code or kind}): check the network and "
        "s3.endpoint; the bot tries again."
    )


def is_missing(error: Exception) -> bool:
    """Return whether an error of boto3 says that there is no such object."""
    return _answer_of(error)[0] in _MISSING


def missing_boto3() -> StorageRefused:
    """Return the error for a missing package."""
    return StorageRefused(f"Files in S3 need a package that is missing. Install it: {install_command('tgllm[s3]')}")


def _answer_of(error: Exception) -> tuple[str, int | None]:
    """Return the code and the HTTP status of an answer; nothing if there was none."""
    response: object = getattr(error, "response", None)
    if not isinstance(response, dict):
        return "", None
    answer = cast("dict[str, Any]", response)
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return str(answer.get("Error", {}).get("Code", "")), status if isinstance(status, int) else None
