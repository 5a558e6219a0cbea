"""Settings of files in S3-compatible storage."""

import re
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from tgllm.config.sections.base import Section

__all__ = ["S3Section"]

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX: Final = re.compile(r"(?:[A-Za-z0-9._-]+/)*")


def _endpoint(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value.strip())
        right = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
        # A port that is no number raises.
        has_user = "@" in parts.netloc or parts.port == 0
    except ValueError:
        right, has_user = False, False
    if not right or has_user:
        raise ValueError("must be an address such as https://s3.eu-central-1.amazonaws.com, without a user")
    return value.strip().rstrip("/")


def _bucket(value: str | None) -> str | None:
    if value is not None and not _BUCKET.fullmatch(value.strip()):
        raise ValueError("must be the name of a bucket: 3 to 63 small letters, digits, dots and hyphens")
    return None if value is None else value.strip()


def _prefix(value: str) -> str:
    found = f"{value.strip().strip('/')}/" if value.strip().strip("/") else ""
    if not _PREFIX.fullmatch(found) or {".", ".."} & set(found.split("/")):
        raise ValueError("must be a path of letters, digits, dots, _ and -, such as bots/helper")
    return found


class S3Section(Section):
    """Files in S3-compatible storage; without ``bucket``, they are in the data folder alone."""

    bucket: Annotated[str | None, AfterValidator(_bucket)] = Field(
        default=None,
        description="Bucket that keeps the files of conversations; the data folder then holds copies. Needs tgllm[s3].",
    )
    endpoint: Annotated[str | None, BeforeValidator(_endpoint)] = Field(
        default=None, description="Address of the S3 server; http or https. By default that of AWS for the region."
    )
    region: str = Field(default="us-east-1", min_length=1, description="Region of the bucket.")
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="", description="Path in the bucket under which the files are: one of its own for each bot."
    )
    access_key: SecretStr | None = Field(
        default=None,
        description="Access key; without it, boto3 looks for keys: AWS_ACCESS_KEY_ID, its files, the machine's role.",
    )
    secret_key: SecretStr | None = Field(default=None, description="Secret of the access key.")
    path_style: bool = Field(
        default=True,
        description="Whether the bucket is in the path of addresses, as most servers other than AWS want it, and not "
        "in the host name.",
    )
    cache_mb: float = Field(
        default=2000.0,
        gt=0,
        description="Size of the copies in the data folder, in MiB, above which those that were not used for longest "
        "are removed.",
    )

    @model_validator(mode="after")
    def _keys_are_two(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key belong together: set both or none")
        return self
