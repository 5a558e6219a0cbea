"""Secrets in files of their own: ``TGLLM_BOT_TOKEN_FILE`` names the file that contains ``TGLLM_BOT_TOKEN``."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tgllm.api.errors import ConfigError
from tgllm.config.sources.source import Source

__all__ = ["FILE_ENDING", "FILE_VARIABLE_ENDING", "MOST_BYTES", "SecretFile", "read_secret", "secret_file"]

FILE_ENDING: Final = "_file"
"""Ending of a key whose value is in a file."""
FILE_VARIABLE_ENDING: Final = "_FILE"
MOST_BYTES: Final = 64 * 1024
"""Maximum size of such a file; the longest secrets are key files of cloud services, of a few KiB."""


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A value that is in a file, before it is read."""

    path: Path
    source: Source
    """Where the file is named."""


def secret_file(text: object, source: Source) -> SecretFile:
    """Return the file that a source names; a relative path begins at the folder of the source.

    Raises:
        ConfigError: the text is no path.
    """
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise ConfigError(f"{source.spot}: must be the path of a file with the secret")
    folder = Path(source.path).parent if source.path else Path()
    try:
        path = (folder / Path(text.strip()).expanduser()).absolute()
    except RuntimeError:
        raise ConfigError(f"{source.spot}: must be the path of a file; the user after its ~ does not exist") from None
    return SecretFile(path, Source(source.kind, source.name, source.path, path))


def read_secret(file: SecretFile) -> str:
    """Return the content of the file, without white space around it.

    Raises:
        ConfigError: there is no such file, or it can't be read, or contains no secret; the message names the source and
            the path, never the content.
    """
    where, path = file.source.spot, file.path
    try:
        content = _read(path)
    except FileNotFoundError:
        raise ConfigError(f"{where}: there is no file {path}; write the secret into it, or correct the path") from None
    except IsADirectoryError:
        message = f"{where}: {path} is a folder, not a file; Docker makes one where the file to mount does not exist"
        raise ConfigError(message) from None
    except PermissionError:
        message = f"{where}: {path} can't be read by {_me()}; give the file to this user (chown), with mode 0400"
        raise ConfigError(message) from None
    except OSError as error:
        raise ConfigError(f"{where}: {path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{where}: {path} {error}") from None
    return content


def _read(path: Path) -> str:
    # Without waiting: opening a named pipe would wait for its writer.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise ValueError("is not a regular file; the path must be that of a file with the secret")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"is too large for a secret: more than {MOST_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = "\0"
    if any(ord(character) < ord(" ") and character not in "\t\r\n" for character in text):
        raise ValueError("is not UTF-8 text; write only the secret into it")
    if not text:
        raise ValueError("is empty; write the secret into it")
    return text


def _me() -> str:
    import getpass  # noqa: PLC0415  only for an error

    uid = os.geteuid()
    try:
        return f"the user {getpass.getuser()} (uid {uid})"
    except (KeyError, OSError):
        return f"the user with uid {uid}"
