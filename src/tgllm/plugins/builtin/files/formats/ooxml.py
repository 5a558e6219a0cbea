"""Parts of Office files (docx, pptx) and their relations."""

import posixpath
import zipfile
from collections.abc import Iterable
from typing import Any, NamedTuple

from tgllm.plugins.builtin.files.shared.archives import read_member
from tgllm.plugins.builtin.files.shared.xml import parse_xml

__all__ = ["Package", "Relation", "attribute", "child", "children", "is_on"]


class Relation(NamedTuple):
    """Relation of a part to another part or to an address."""

    kind: str
    """Last word of its type, such as ``footnotes`` or ``hyperlink``."""
    target: str
    """Name of the part, or an address."""
    external: bool


class Package:
    """Parts of an Office file, which are parsed when they are asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Create it for an open archive."""
        self._archive = archive

    def part(self, name: str) -> Any | None:  # noqa: ANN401  lxml has no types
        """Return the root element of a part; None if there is none.

        Raises:
            FileUnreadable: it is damaged.
        """
        content = read_member(self._archive, name)
        return parse_xml(content) if content else None

    def relations(self, name: str) -> dict[str, Relation]:
        """Return the relations of a part by id; an empty name stands for the package."""
        folder, base = posixpath.split(name)
        root = self.part(posixpath.join(folder, "_rels", f"{base}.rels"))
        found: dict[str, Relation] = {}
        for element in () if root is None else root:
            target, external = element.get("Target") or "", element.get("TargetMode") == "External"
            if not external:
                target = posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/")
            found[element.get("Id") or ""] = Relation((element.get("Type") or "").rpartition("/")[2], target, external)
        return found

    def main_part(self) -> str:
        """Return the name of the main part; empty if there is none."""
        kinds = (relation for relation in self.relations("").values() if relation.kind == "officeDocument")
        return next((relation.target for relation in kinds), "")


def attribute(element: Any, name: str) -> str | None:  # noqa: ANN401  lxml has no types
    """Return an attribute by its name without namespace."""
    if element is None:
        return None
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return None


def child(element: Any, *names: str) -> Any | None:  # noqa: ANN401  lxml has no types
    """Return the first child of a name, then its first child of the next name, and so on; None if one is missing."""
    for name in names:
        if element is None:
            return None
        element = next((each for each in element if str(each.tag).rpartition("}")[2] == name), None)
    return element


def children(element: Any, *names: str) -> Iterable[Any]:  # noqa: ANN401  lxml has no types
    """Return the children of what ``child`` finds; an element without children is false, so ``or`` does not serve."""
    found = child(element, *names)
    return () if found is None else found


def is_on(element: Any) -> bool:  # noqa: ANN401  lxml has no types
    """Return whether a switch is there and not off."""
    return element is not None and (attribute(element, "val") or "1").lower() not in {"0", "false", "off"}
