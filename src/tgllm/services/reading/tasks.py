"""Tasks of a reading process: call a file handler, prepare a picture."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits, PagePicture

__all__ = ["MOST_PICTURE_BYTES", "Result", "run"]

MOST_PICTURE_BYTES = 32 * 2**20
"""Maximum sum of the pictures of one file."""
_MOST_PARAM = 200
"""Maximum length of a text in an error, in characters."""


class _BreachError(Exception):
    """The handler has returned something else than the contract says."""


@dataclass(frozen=True, slots=True)
class Result:
    """Answer to a task."""

    header: dict[str, Any]
    blobs: Sequence[bytes] = field(default=())

    @property
    def is_failure(self) -> bool:
        """Whether the code has failed, and not only refused the file."""
        return "crash" in self.header or "breach" in self.header or self.header.get("code") == "file_memory"


def run(task: Mapping[str, Any], home: Path) -> Result:
    """Run a task.

    Args:
        task: what to do, from ``pool``.
        home: an empty folder, which is removed after the task.
    """
    try:
        return _picture(task) if task["task"] == "picture" else _read(task, home)
    except MemoryError:
        return Result({"code": "file_memory", "params": {}})
    except FileUnreadable as error:
        return _refusal(error)
    except _BreachError as breach:
        return Result({"breach": str(breach)})
    except BaseException as error:  # noqa: BLE001  a handler may raise anything, even SystemExit
        missing = error.name if isinstance(error, ModuleNotFoundError) else ""
        place = _place(error, str(task.get("module")))
        return Result({"crash": _text(type(error).__name__), "module": _text(missing), "at": _text(place)})


def _place(error: BaseException, module: str) -> str:
    """Return file and line of the innermost frame of the handler's module, else of the innermost one."""
    place, traceback, is_own = "", error.__traceback__, False
    while traceback is not None:
        frame, line, traceback = traceback.tb_frame, traceback.tb_lineno, traceback.tb_next
        own = frame.f_globals.get("__name__") == module
        if own or not is_own:
            place, is_own = f"{Path(frame.f_code.co_filename).name}:{line}", own
    return place


def _read(task: Mapping[str, Any], home: Path) -> Result:
    limits = ExtractionLimits(task["most_chars"], task["seconds"], task["memory"], task["most_pictures"])
    extract: Any = import_module(task["module"])
    for name in task["function"].split("."):
        extract = getattr(extract, name)
    extracted = extract(_named(Path(task["path"]), task["suffix"], home), limits)
    _check(extracted)
    return _cut(extracted, limits)


def _named(path: Path, suffix: str, home: Path) -> Path:
    """Return a path of the file that has its ending; files are stored without."""
    named = home / f"file{suffix}"
    # Windows allows symbolic links to administrators only.
    with suppress(OSError, NotImplementedError):
        named.symlink_to(path)
        return named
    return path


def _check(given: object) -> None:
    """Check what a handler has returned.

    Raises:
        _BreachError: says what is wrong.
    """
    if not isinstance(given, Extracted):
        raise _BreachError(f"returned {type(given).__name__} instead of Extracted")
    kinds: Mapping[str, type | tuple[type, ...]] = {
        "text": str,
        "truncated": bool,
        "pages": (int, type(None)),
        "pictures": (tuple, list),
        "without_text": int,
        "encoding": str,
    }
    for name, kind in kinds.items():
        if not isinstance(value := getattr(given, name), kind):
            raise _BreachError(f"returned Extracted with {name} of type {type(value).__name__}")
    for each in given.pictures:
        if not (
            isinstance(each, PagePicture)  # pyright: ignore[reportUnnecessaryIsInstance]  it comes from a plugin
            and isinstance(each.page, int)  # pyright: ignore[reportUnnecessaryIsInstance]  it comes from a plugin
            and isinstance(each.content, bytes)  # pyright: ignore[reportUnnecessaryIsInstance]  it comes from a plugin
            and isinstance(each.mime_type, str)  # pyright: ignore[reportUnnecessaryIsInstance]  it comes from a plugin
        ):
            raise _BreachError("returned Extracted with pictures that are no PagePicture, or have wrong types")


def _cut(given: Extracted, limits: ExtractionLimits) -> Result:
    """Return the text and the pictures as far as the limits allow."""
    text = given.text[: limits.max_chars]
    pictures: list[PagePicture] = []
    left = MOST_PICTURE_BYTES
    for each in given.pictures[: limits.max_pictures]:
        if (left := left - len(each.content)) < 0:
            break
        pictures.append(each)
    is_cut = len(text) < len(given.text) or len(pictures) < len(given.pictures)
    header = {
        "truncated": given.truncated or is_cut,
        "pages": given.pages,
        "without_text": given.without_text,
        "encoding": given.encoding[:_MOST_PARAM],
        "pictures": [[each.page, each.mime_type[:_MOST_PARAM]] for each in pictures],
    }
    # A lone surrogate could be neither sent nor stored.
    return Result({"read": header}, (text.encode(errors="replace"), *(each.content for each in pictures)))


def _refusal(error: FileUnreadable) -> Result:
    """Return the code and parameters of an error; its message may quote the file."""
    with suppress(Exception):
        params = {
            str(name)[:_MOST_PARAM]: value if not isinstance(value, str) else value[:_MOST_PARAM]
            for name, value in [*error.params.items()][:10]
            if isinstance(value, str | int | float | None)  # pyright: ignore[reportUnnecessaryIsInstance]  a plugin's
        }
        return Result({"code": _text(error.code), "params": params})
    return Result({"code": FileUnreadable.default_code, "params": {}})


def _text(value: object) -> str:
    return value[:_MOST_PARAM].encode(errors="replace").decode() if isinstance(value, str) else ""


def _picture(task: Mapping[str, Any]) -> Result:
    from tgllm.services.reading.pictures import prepare  # noqa: PLC0415  not for a task that reads a text

    return Result({"picture": prepare(Path(task["path"]), Path(task["target"]), task["limits"])})
