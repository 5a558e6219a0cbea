"""What an installer would change, and why it can't: the outputs of pip and uv in words."""

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tgllm.observe.redaction import redact
from tgllm.plugins.installing.installed import CORE

__all__ = ["Resolved", "conflict_in_words", "read_report", "read_uv"]

_CAUSE: Final = "The conflict is caused by:"
_DEPENDS: Final = re.compile(r"^(\S+ \S+) depends on (.+)$")
_FIXED: Final = re.compile(r"^The user requested \(constraint\) (.+)$")
_ASKED: Final = re.compile(r"^The user requested (.+)$")
_UV_LINE: Final = re.compile(r"^\s*([+~-]) ([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")
_UV_CAUSE: Final = re.compile(r"^\s*(?:╰─▶|cause:) (.*)$")
_MOST_WORDS: Final = 600


@dataclass(frozen=True, slots=True)
class Resolved:
    """What would be installed."""

    versions: Mapping[str, str]
    """By normalized name, without what stays."""
    strangers: tuple[str, ...] = ()
    """Requested packages that don't require tgllm, so that they are hardly plugins."""


def read_report(path: Path) -> Resolved:
    """Return what pip's report of a dry run says."""
    report = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
    versions, strangers = dict[str, str](), list[str]()
    for entry in cast("list[dict[str, Any]]", report.get("install", [])):
        about = cast("dict[str, Any]", entry.get("metadata", {}))
        name = canonicalize_name(str(about.get("name")))
        versions[name] = str(about.get("version"))
        if entry.get("requested") and CORE not in _names(cast("list[str]", about.get("requires_dist") or [])):
            strangers.append(name)
    return Resolved(versions, tuple(strangers))


def read_uv(lines: Iterable[str]) -> Resolved:
    """Return what the output of a dry run of uv says."""
    found = [match for line in lines if (match := _UV_LINE.match(line))]
    return Resolved({canonicalize_name(match[2]): match[3] for match in found if match[1] != "-"})


def conflict_in_words(lines: Sequence[str]) -> str:
    """Return why an installer can't install what is wanted, as one sentence without secrets."""
    text = _pips_conflict(lines) or _uvs_conflict(lines) or _last_error(lines)
    text = redact(" ".join(text.split())) or "the installer gave no reason"
    return text if len(text) <= _MOST_WORDS else text[: _MOST_WORDS - 1] + "…"


def _pips_conflict(lines: Sequence[str]) -> str:
    stripped = [line.strip() for line in lines]
    if _CAUSE not in stripped:
        return ""
    causes: list[str] = []
    for line in stripped[stripped.index(_CAUSE) + 1 :]:
        if not line:
            break
        causes.append(_cause(line))
    return ", ".join(dict.fromkeys(causes))


def _cause(line: str) -> str:
    if found := _DEPENDS.match(line):
        return f"{found[1]} needs {found[2]}"
    fixed, asked = _FIXED.match(line), _ASKED.match(line)
    if fixed is None and asked is None:
        return line
    requirement = (fixed or asked or [line, line])[1]
    name, _, version = requirement.partition("==")
    if name == CORE:
        return f"this is tgllm {version}"
    return f"the running tgllm has {requirement}" if fixed else f"wanted is {requirement}"


def _uvs_conflict(lines: Sequence[str]) -> str:
    """Return the sentence after uv's mark, which differs by version; uv breaks it into lines."""
    for number, line in enumerate(lines):
        if found := _UV_CAUSE.match(line):
            rest = itertools.takewhile(lambda other: other.startswith(" "), lines[number + 1 :])
            return " ".join([found[1], *rest])
    return ""


def _last_error(lines: Sequence[str]) -> str:
    errors = [line.strip() for line in lines if line.strip().lower().startswith(("error:", "fatal error"))]
    if errors:
        # pip tells first which versions there are, and then that none fits.
        return "; ".join(dict.fromkeys(error.partition(":")[2].strip() for error in errors[-2:]))
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _names(lines: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for line in lines:
        try:
            found.add(canonicalize_name(Requirement(line).name))
        except InvalidRequirement:
            continue
    return found
