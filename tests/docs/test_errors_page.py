"""The page about errors lists every code of the error tree and every text of an error, word for word."""

import re

from docs_support import read_page
from tgllm.api import errors
from tgllm.i18n.catalogue import texts_of

ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", read_page("reference/errors.md"), re.MULTILINE))
TEXTS = {key.removeprefix("error."): text for key, text in texts_of("en").items() if key.startswith("error.")}


def test_every_class_of_the_tree_has_a_row() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.TgllmError)]

    assert len(kinds) > 15
    assert {kind.default_code for kind in kinds} <= ROWS.keys()


def test_every_text_of_an_error_is_listed_as_it_is() -> None:
    assert ROWS.keys() == TEXTS.keys()
    for code, text in TEXTS.items():
        shown = text if isinstance(text, str) else text["other"]
        assert shown.replace("\n", " ") in ROWS[code]
