"""Files of a new plugin, from the templates in this folder.

A template is the file itself with names in double braces. Those of the kind come on top of those that all kinds share.
"""

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from tgllm.api.version import API_VERSION
from tgllm.cli.commands.plugins.new.author import Author
from tgllm.cli.commands.plugins.new.names import PluginName

__all__ = ["KINDS", "LICENCES", "render"]

KINDS: Final[Mapping[str, str]] = {
    "provider": "The models of {title} for bots made with tgllm.",
    "openai-compatible": "The models of {title} for bots made with tgllm.",
    "command": "A chat command /{id} for bots made with tgllm.",
    "job": "A daily message, /{id}, for bots made with tgllm.",
    "file-handler": "Reads .{ending} files for bots made with tgllm.",
}
"""Description of the package, by kind."""
LICENCES: Final = ("MIT", "Apache-2.0", "BSD-3-Clause", "none")
_SUFFIX: Final = ".tmpl"
_FIELD: Final = re.compile(r"\{\{([a-z_]+)\}\}")
_RENAMED: Final = {"dot-gitignore": ".gitignore", "dot-github": ".github"}
_TEMPLATES: Final = files("tgllm.cli.commands.plugins.new").joinpath("templates")


def render(name: PluginName, kind: str, author: Author, licence: str, *, year: int, version: str) -> dict[str, str]:
    """Return the content of each file by its path in the folder of the plugin.

    Args:
        name: the names of the plugin.
        kind: one of ``KINDS``.
        author: for pyproject.toml and the licence.
        licence: one of ``LICENCES``.
        year: that of the licence.
        version: that of the tgllm that makes it, the oldest that the plugin takes.
    """
    values = _values(name, kind, author, licence, year, version)
    found: dict[str, str] = {}
    for folder in ("common", kind):
        for path, text in _read(_TEMPLATES.joinpath(folder)):
            found[path.replace("MODULE", name.module)] = _fill(text, values)
    if licence != "none":
        text = _TEMPLATES.joinpath("licences", f"{licence}{_SUFFIX}").read_text(encoding="utf-8")
        found["LICENSE"] = _fill(text, values)
    return found


def _values(name: PluginName, kind: str, author: Author, licence: str, year: int, version: str) -> Mapping[str, str]:
    major, minor = version.split(".")[:2]
    summary = KINDS[kind].format(title=name.title, id=name.id, ending=name.ending)
    email = f", email = {_toml(author.email)}" if author.email else ""
    return {
        "id": name.id,
        "package": name.package,
        "module": name.module,
        "title": name.title,
        "upper": name.upper,
        "ending": name.ending,
        "variable": f"{name.upper}_API_KEY",
        "api": str(API_VERSION),
        "requirement": f"tgllm>={major}.{minor},<{int(major) + 1}",
        "summary": summary,
        "summary_toml": _toml(summary),
        "author": author.name,
        "author_toml": f"{{ name = {_toml(author.name)}{email} }}",
        "licence_lines": "" if licence == "none" else f'license = "{licence}"\nlicense-files = ["LICENSE"]\n',
        "licence_in_sdist": "" if licence == "none" else ', "/LICENSE"',
        "year": str(year),
    }


def _toml(text: str) -> str:
    """Return a string of TOML: one of JSON is one."""
    return json.dumps(text, ensure_ascii=False)


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: values[found[1]], text)


def _read(folder: Traversable, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and text of all templates below a folder."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = entry.name.removesuffix(_SUFFIX)
        path = f"{before}{_RENAMED.get(name, name)}"
        if entry.is_dir():
            yield from _read(entry, f"{path}/")
        elif entry.name.endswith(_SUFFIX):
            yield path, entry.read_text(encoding="utf-8")
