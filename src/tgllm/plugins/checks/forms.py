"""Forms of the names in the plugin contract, and the nearest name that has a form."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tgllm.plugins.calls.outcome import Breach

__all__ = ["COMMAND", "FORMS", "ID", "LANGUAGE", "MIME_TYPE", "PLUGIN_ID", "SUFFIX", "VARIABLE", "Form", "check_form"]

_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Form:
    """Form of a name."""

    pattern: re.Pattern[str]
    words: str
    """The rule, for authors of plugins."""
    example: str
    mend: Callable[[str], str]
    """Changes a name a little, so that it may have this form."""

    def nearest(self, name: str) -> str:
        """Return the name changed so that it has this form; an example if no small change does that."""
        mended = self.mend(name.strip())
        return mended if len(mended) <= _LONGEST_SHOWN and self.pattern.fullmatch(mended) else self.example


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:32]


PLUGIN_ID: Final = Form(
    # No double underscore: it separates the parts of a variable's name (TGLLM_PLUGINS__<ID>__<FIELD>).
    re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*"),
    "a lower-case letter first, then lower-case letters and digits, with single underscores between them",
    "weather",
    _slug,
)
ID: Final = Form(
    re.compile(r"[a-z][a-z0-9_]*"),
    "a lower-case letter first, then lower-case letters, digits and underscores",
    "weather",
    _slug,
)
COMMAND: Final = Form(
    re.compile(r"[a-z][a-z0-9_]{0,31}"),  # Bot API: BotCommand
    "at most 32 characters without the slash, a lower-case letter first, then lower-case letters, digits and "
    "underscores",
    "weather",
    _slug,
)
LANGUAGE: Final = Form(re.compile(r"[a-z]{2}"), "two lower-case letters", "de", lambda name: _slug(name)[:2])
MIME_TYPE: Final = Form(
    re.compile(r"[\w.+-]+/([\w.+-]+|\*)|\*/\*"),
    "a type and a subtype without parameters, all subtypes as text/*, or everything as */*",
    "application/pdf",
    str.lower,
)
SUFFIX: Final = Form(
    re.compile(r"\.[a-z0-9_+-]{1,16}"),
    "a dot, then 1 to 16 lower-case letters, digits, underscores, plus or minus signs",
    ".gpx",
    lambda name: "." + name.lower().lstrip("*."),
)
VARIABLE: Final = Form(
    re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    "letters, digits and underscores, with no digit first",
    "WEATHER_API_KEY",
    lambda name: re.sub(r"\W+", "_", name),
)

FORMS: Final = (PLUGIN_ID, ID, COMMAND, LANGUAGE, MIME_TYPE, SUFFIX, VARIABLE)


def check_form(what: str, value: object, form: Form) -> None:
    """Check that ``value`` is a text of the form.

    Raises:
        Breach: it is not; the message contains the rule and the nearest name.
    """
    if isinstance(value, str) and form.pattern.fullmatch(value):
        return
    shown = repr(value)
    shown = shown if len(shown) <= _LONGEST_SHOWN else shown[: _LONGEST_SHOWN - 1] + "…"
    near = form.nearest(value) if isinstance(value, str) else form.example
    raise Breach(f"{what} {shown} must look like {near}: {form.words}")
