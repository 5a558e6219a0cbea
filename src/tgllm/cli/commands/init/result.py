"""Files that ``tgllm init`` writes."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from tgllm.api.clock import Clock
from tgllm.api.errors import ConfigError
from tgllm.cli.commands.init.bot_step import BotAnswers
from tgllm.cli.commands.init.dialogue import Dialogue
from tgllm.cli.commands.init.provider_step import Chosen
from tgllm.config.commented import Entry, commented_toml
from tgllm.config.model import Config
from tgllm.config.sections.webhook import WebhookSection
from tgllm.config.write import TomlValue, keep_copy, make_file, replace_file, write_config
from tgllm.services.setup.unit import unit_path, unit_text

__all__ = ["Answers", "config_text", "write_files"]

_HEAD = (
    "Settings of tgllm, written by tgllm init. It contains keys: keep it readable for yourself only (chmod 600).",
    "All settings with their meanings: docs/reference/configuration.md",
    "What applies, and where it is set: tgllm config show",
    "After a change: tgllm config check, then start the bot again. If something does not work: tgllm doctor",
)


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers of the dialogue."""

    bot: BotAnswers
    admins: Mapping[int, str]
    chosen: Chosen
    data_dir: Path | None = None
    webhook: str | None = None
    """Address to which Telegram sends updates; None: it is asked for them."""


def config_text(answers: Answers) -> str:
    """Return the text of the config file."""
    return commented_toml(_HEAD, list(_entries(answers)))


def write_files(dialogue: Dialogue, path: Path, answers: Answers, clock: Clock, *, force: bool, unit: bool) -> None:
    """Write the config file, and the systemd unit if ``unit``; an earlier config file is kept as a copy.

    Raises:
        ConfigError: a file can't be written.
    """
    moment = f"{datetime.fromtimestamp(clock.now(), UTC):%Y%m%dT%H%M%SZ}"
    kept = keep_copy(path, moment) if force else None
    write_config(path, config_text(answers), replace=force)
    dialogue.say("init.written", path=path)
    if kept is not None:
        dialogue.say("init.kept", path=kept)
    if unit:
        _write_unit(dialogue, path, moment, force=force)


def _write_unit(dialogue: Dialogue, config: Path, moment: str, *, force: bool) -> None:
    target, text = unit_path(), unit_text(sys.executable, config)
    try:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if target.exists():
            if not force:
                dialogue.warn("init.unit_there", path=target)
                return
            keep_copy(target, moment)
            replace_file(target, text, mode=0o644)
        else:
            make_file(target, text, mode=0o644)
    except OSError as error:
        raise ConfigError(f"{target}: can't be written: {error.strerror}") from None
    dialogue.say("init.unit_written", path=target)


def _entries(answers: Answers) -> Iterator[Entry]:
    facts, chosen = answers.bot.facts, answers.chosen
    owner = f" It belongs to @{facts.username}." if facts is not None and facts.username else ""
    token = f"{_meaning('bot_token')} It gives full control of the bot; @BotFather renews it with /revoke.{owner}"
    yield Entry("bot_token", answers.bot.token, (token,))
    names = [f"{user_id} is {name}." for user_id, name in answers.admins.items() if name]
    yield Entry("admin_ids", list(answers.admins), (_meaning("admin_ids"), *names))
    if answers.bot.api != Config.model_fields["telegram_api"].default:
        yield Entry("telegram_api", answers.bot.api, (_meaning("telegram_api"),))
    if answers.data_dir is not None:
        yield Entry("data_dir", str(answers.data_dir), (_meaning("data_dir"),))
    model = (f"{_meaning('default_model')} Known ones: tgllm models list",)
    if chosen.model:
        yield Entry("default_model", chosen.model, model)
    else:
        yield Entry("default_model", "mistral/mistral-small-latest", model, is_example=True)
    yield Entry("language", "en", (_meaning("language"),), is_example=True)
    yield Entry("system_prompt", "You are a helpful assistant.", (_meaning("system_prompt"),), is_example=True)
    yield Entry("time_zone", "Europe/Berlin", (_meaning("time_zone"),), is_example=True)
    if answers.webhook is not None:
        yield Entry("webhook.url", answers.webhook, (WebhookSection.model_fields["url"].description or "",))
    comment: tuple[str, ...] = (f"Settings of the plugin for {chosen.title}: see the README of its package.",)
    for key, value in _flat(f"plugins.{chosen.plugin_id}", chosen.settings):
        yield Entry(key, value, comment)
        comment = ()


def _meaning(key: str) -> str:
    return Config.model_fields[key].description or ""


def _flat(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, TomlValue]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}.{name}", cast("Mapping[str, object]", value))
        else:
            yield f"{prefix}.{name}", cast("TomlValue", value)
