"""Write ``docs/reference/openai-services.md`` from the presets of tgllm-openai."""

import sys
from collections.abc import Iterable
from pathlib import Path

from tgllm_openai.presets import Preset, load_presets

TARGET = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openai-services.md"
HEAD = """\
# Services with OpenAI's format

<!-- Generated from presets.toml of tgllm-openai by `make generate`; do not edit by hand. -->

The services that [tgllm-openai](../../plugins/tgllm_openai/README.md) knows by name, {count} in all;
[Use any service with OpenAI's format](../howto/use-any-openai-service.md) explains how to use one, or one that is not
here. A preset has the address of a service and what is special about it: how the reasoning effort is sent, the name of
the limit of tokens, whether prices are in its list of models. It contains what a source documents and nothing else.
None of the hosted services has been asked with a key; "not checked" means that a single catalogue or report is the
only source.
"""
TABLE = """
| preset | service | address | key | reasoning effort | prices | source, as of |
| --- | --- | --- | --- | --- | --- | --- |
"""
TAIL = """
## How the reasoning effort is sent

| name | fields |
| --- | --- |
| `reasoning_effort` | `reasoning_effort`: none, low, medium or high |
| `none_or_high` | the same, with `high` for low and medium |
| `reasoning` | `reasoning`: `{"effort": ...}`, or `{"enabled": false}` for none |
| `reasoning_or_effort` | `reasoning_effort`, or `reasoning`: `{"enabled": false}` for none |
| `thinking` | `thinking`: `{"type": "enabled"}` or `{"type": "disabled"}` |
| `thinking_and_effort` | both |
| `enable_thinking` | `enable_thinking`: true or false |
| `chat_template` | `chat_template_kwargs`: `{"enable_thinking": ...}`, and `reasoning_effort` |
| `chat_template_args` | `chat_template_args`: `{"enable_thinking": ...}` |

Without a reasoning effort in the bot's settings none of these is sent. A field that a model refuses by name is left
out, and the request is sent once more ([errors](provider-errors.md#errors)).

## Tools

Models are offered tools unless the list of a service says that a model takes none, or the setting `tools` is false. A
service that refuses them is asked again without ([errors](provider-errors.md#errors)).

| with calls of tools | services |
| --- | --- |
| the reasoning goes back in `reasoning_content` | {content} |
| the reasoning goes back in `reasoning_details` | {details} |
| several calls at once are asked for by `parallel_tool_calls` | {parallel} |

What a service sends beside a call, such as Google's `extra_content` with a signature, goes back with it.

## Not here

- GitHub Models was closed on 2026-07-30.
- Perplexity ended its chat completions on 2026-09-27.
- GigaChat gives out a new token every 30 minutes.
"""


def text() -> str:
    """Return the content of the page."""
    presets = load_presets().values()
    hosted = [each for each in presets if not each.local]
    local = [each for each in presets if each.local]
    parts = [
        HEAD.format(count=len(presets)),
        "\n## Hosted services and gateways\n",
        _table(hosted),
        "\n## Servers on your own machine\n\n`tgllm models sync` works without a key, except where one is named.\n",
        _table(local),
        TAIL.replace("{content}", _names(each for each in presets if each.replays == "reasoning_content"))
        .replace("{details}", _names(each for each in presets if each.replays == "reasoning_details"))
        .replace("{parallel}", _names(each for each in presets if each.parallel)),
    ]
    return "".join(parts)


def _names(presets: Iterable[Preset]) -> str:
    return ", ".join(f"`{each.id}`" for each in presets)


def _table(presets: list[Preset]) -> str:
    notes = "".join(f"- `{each.id}`: {each.note}\n" for each in presets if each.note)
    return TABLE + "".join(map(_row, presets)) + f"\n{notes}"


def _row(preset: Preset) -> str:
    source = f"[documentation]({preset.docs})" if preset.docs else preset.source
    cells = (
        f"`{preset.id}`",
        preset.title,
        f"`{preset.base_url}`" if preset.base_url else "your own",
        _key(preset),
        f"`{preset.effort}`",
        "in the package" if preset.table else "in its list" if preset.prices else "",
        f"{source}, {preset.as_of}{'' if preset.checked else ', not checked'}",
    )
    return f"| {' | '.join(cells)} |\n"


def _key(preset: Preset) -> str:
    if not preset.key:
        return "`api_key`" if preset.needs_key else "none"
    return f"`{preset.key}`{'' if preset.needs_key else ' (optional)'}"


if __name__ == "__main__":
    sys.exit(TARGET.write_text(text(), encoding="utf-8") == 0)
