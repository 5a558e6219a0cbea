"""Safe XML: no entities, no documents from elsewhere."""

from importlib import import_module
from typing import Any

from tgllm.api.errors import FileUnreadable

__all__ = ["local_name", "parse_xml"]


def parse_xml(content: bytes) -> Any:  # noqa: ANN401  lxml has no types
    """Return the root element; entities are not expanded, and what is not well-formed is repaired.

    Raises:
        FileUnreadable: it is no XML.
    """
    etree: Any = import_module("lxml.etree")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FileUnreadable("A part of the file is damaged", code="file_broken") from error
    if root is None:
        raise FileUnreadable("A part of the file is empty", code="file_broken")
    return root


def local_name(element: Any) -> str:  # noqa: ANN401  lxml has no types
    """Return the name of an element without its namespace; empty for what is no element."""
    tag = element.tag
    return str(tag).rpartition("}")[2] if isinstance(tag, str) else ""
