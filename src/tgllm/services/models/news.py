"""Notice to the admins about changes of the model lists."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from tgllm.api import ModelRef
from tgllm.i18n import Catalogue
from tgllm.services.common.text import one_line
from tgllm.services.models.diff import ModelChange, SyncReport

__all__ = ["news_of"]

MOST_NAMES = 15
"""Maximum number of models named for each kind of change; the others are counted."""
MOST_NAME = 100
"""Maximum length of a model's name in UTF-16 units."""


def news_of(report: SyncReport, texts: Catalogue, fallback: str, language: str = "") -> str:
    """Return the text of the notice; providers listed for the first time are left out.

    Args:
        report: result of the sync.
        texts: catalogue of texts.
        fallback: default model of the config, which replaces a retired default.
        language: language of the recipient; empty for the bot's language.
    """
    return "\n".join(_lines(report, partial(texts, language=language), fallback))


def _lines(report: SyncReport, texts: Callable[..., str], fallback: str) -> Iterator[str]:
    yield texts("model_news.title")
    diffs = [entry.diff for entry in report.providers if not entry.first]
    new = [_name(ref) for diff in diffs for ref in diff.new]
    changed = [_change(change) for diff in diffs for change in diff.changed]
    retired = [_name(ref) for diff in diffs for ref in diff.retired]
    if new:
        yield texts("model_news.new", models=_names(new, texts))
    if changed:
        yield texts("model_news.changed", models=_names(changed, texts))
    if retired:
        yield texts("model_news.retired", models=_names(retired, texts))
    if report.lost_default is not None:
        yield _lost(report.lost_default, texts, fallback)


def _names(names: Sequence[str], texts: Callable[..., str]) -> str:
    shown: Iterable[str] = names[:MOST_NAMES]
    rest = len(names) - MOST_NAMES
    return ", ".join(shown if rest <= 0 else [*shown, texts("model_news.more", count=rest)])


def _name(ref: ModelRef) -> str:
    return one_line(str(ref), MOST_NAME)


def _change(change: ModelChange) -> str:
    return f"{_name(change.ref)} ({', '.join(field.name.replace('_', ' ') for field in change.fields)})"


def _lost(default: ModelRef, texts: Callable[..., str], fallback: str) -> str:
    if str(default) == fallback:
        return texts("model_news.default_gone", model=default)
    return texts("model_news.default_replaced", model=default, fallback=fallback)
