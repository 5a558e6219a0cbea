"""Step of the provider: its choice, its settings, and whether its key is accepted."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tgllm.api.errors import ConfigError, TgllmError
from tgllm.cli.commands.init.dialogue import Dialogue, read_secret
from tgllm.cli.commands.init.flags import InitFlags
from tgllm.cli.commands.init.model_step import choose_model, name_model
from tgllm.observe.installation import install_command
from tgllm.observe.redaction import redactor
from tgllm.plugins.loading.registration import nearest
from tgllm.services.setup.fields import Field
from tgllm.services.setup.packages import PACKAGES, package_for, uninstalled
from tgllm.services.setup.providers import Candidate, ProviderSetup, Tried, value_at

__all__ = ["Chosen", "choose_provider"]

_NONE = "0"
_EXAMPLE = "tgllm-mistral"
"""Package that is named where no provider is installed."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chosen provider; without an id only echo answers."""

    title: str = ""
    plugin_id: str = ""
    settings: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)
    """Settings of the plugin, by field; they contain the key."""
    model: str = ""
    """``provider/model``."""
    unchecked: str = ""
    """Why the key was not checked; empty if it was."""
    shadowed: str = ""
    """Variable of the environment that overrides the key in the file."""


def choose_provider(dialogue: Dialogue, setup: ProviderSetup, flags: InitFlags) -> Chosen:
    """Choose a provider, ask for its settings until it answers, and choose the default model.

    Raises:
        ConfigError: a flag is wrong.
        TgllmError: the provider doesn't answer, and nothing may be asked.
    """
    candidates, unusable = asyncio.run(setup.candidates({}))
    for plugin, reason in unusable.items():
        dialogue.warn("shell.plugin_warning", plugin=plugin, reason=reason)
    if not candidates and flags.provider is None:
        others = ", ".join(each.package for each in PACKAGES if each.package != _EXAMPLE)
        dialogue.say("init.provider_none", command=install_command(_EXAMPLE), others=others)
        return Chosen()
    wanted = flags.provider or ((flags.model or "").partition("/")[0] if "/" in (flags.model or "") else None)
    while True:
        candidate = _named(candidates, wanted) if wanted else _picked(dialogue, candidates)
        if wanted and candidate is None and flags.provider is not None:
            raise ConfigError(_unknown(dialogue, candidates, flags.provider))
        if candidate is None and wanted:
            candidate = _picked(dialogue, candidates)
        if candidate is None:
            return Chosen()
        chosen = _configure(dialogue, setup, candidate, flags)
        if chosen is not None:
            return chosen
        wanted = None


def _named(candidates: Sequence[Candidate], name: str) -> Candidate | None:
    folded = name.strip().casefold()
    exact = [each for each in candidates if folded in {each.id.casefold(), *map(str.casefold, each.aliases)}]
    others = [
        each
        for each in candidates
        if folded in {each.title.casefold(), *(() if each.is_preset else (each.plugin_id.casefold(),))}
    ]
    return next(iter((*exact, *others)), None)


def _unknown(dialogue: Dialogue, candidates: Sequence[Candidate], name: str) -> str:
    known, package = [each.id for each in candidates], package_for(name)
    return dialogue.texts(
        "init.provider_unknown",
        provider=name,
        known=", ".join(known) or "-",
        hint=nearest(name, known),
        command=install_command(_EXAMPLE if package is None else package.package),
    )


def _picked(dialogue: Dialogue, candidates: Sequence[Candidate]) -> Candidate | None:
    """Ask for a provider; None for none."""
    usable = [
        each
        for each in candidates
        if not each.is_preset and each.state == "ready" and (each.has_key or each.key is None)
    ]
    if not dialogue.asks:
        if len(usable) > 1:
            raise ConfigError(dialogue.texts("init.provider_several", known=", ".join(each.id for each in usable)))
        if not usable:
            dialogue.say("init.provider_none_ready")
        return usable[0] if usable else None
    numbered = [each for each in candidates if not each.is_preset]
    _list(dialogue, candidates, numbered)
    default = numbered.index(usable[0]) + 1 if usable else 1
    while True:
        answer = dialogue.ask("init.provider", default=str(default), suggestion=default)
        if answer == _NONE:
            return None
        if answer.isdecimal() and 0 < int(answer[:6]) <= len(numbered):
            return numbered[int(answer) - 1]
        if (found := _named(candidates, answer)) is not None:
            return found
        dialogue.warn("init.provider_wrong", count=len(numbered))


def _list(dialogue: Dialogue, candidates: Sequence[Candidate], numbered: Sequence[Candidate]) -> None:
    """Show the providers that can be chosen, and the packages that are not installed."""
    dialogue.say("init.providers")
    for number, each in enumerate(numbered, 1):
        dialogue.say("init.provider_line", number=number, title=each.title, id=each.id, state=_state(dialogue, each))
    if names := [each.id for each in candidates if each.is_preset]:
        dialogue.say("init.provider_presets", names=", ".join(names))
    if more := uninstalled({each.plugin_id for each in candidates}):
        names = ", ".join(each.title for each in more)
        dialogue.say("init.provider_more", names=names, command=install_command(more[0].package))
    dialogue.say("init.provider_echo")


def _state(dialogue: Dialogue, candidate: Candidate) -> str:
    if candidate.state == "ready":
        return dialogue.texts("init.state_key" if candidate.has_key else "init.state_ready")
    if candidate.key is not None and not candidate.has_key:
        return dialogue.texts("init.state_no_key")
    return candidate.reason


@dataclass(frozen=True, slots=True)
class _Trial:
    """A candidate with the settings that are tried."""

    dialogue: Dialogue
    setup: ProviderSetup
    candidate: Candidate
    flags: InitFlags
    given: dict[str, object] = field(default_factory=dict[str, object], repr=False)

    def ask_key(self, *, optional: bool) -> bool:
        """Ask for the key; return whether one was given."""
        key = self.candidate.key
        answer = "" if key is None else _key(self.dialogue, self.candidate, key, optional=optional)
        if key is not None and answer:
            self.given[key.name] = answer
        return bool(answer)

    def ask_address(self) -> None:
        """Ask for the address of the service."""
        address = self.candidate.address
        if address is not None:
            self.given[address.name] = _setting(self.dialogue, self.candidate, address)

    def chosen(self, model: str, *, unchecked: str = "") -> Chosen:
        """Return the result."""
        return _chosen(self.setup, self.candidate, self.given, model, unchecked=unchecked)

    def unchecked(self, reason: str) -> Chosen:
        """Return the result without a check, with a model that is not looked up in a list."""
        return self.chosen(name_model(self.dialogue, self.candidate.id, self.flags.model), unchecked=reason)


def _configure(dialogue: Dialogue, setup: ProviderSetup, candidate: Candidate, flags: InitFlags) -> Chosen | None:
    """Ask for the settings of a provider until it answers; None if another one is to be chosen."""
    trial = _Trial(dialogue, setup, candidate, flags, _from_flags(dialogue, candidate, flags))
    for missing in candidate.missing:
        if missing.name not in trial.given:
            trial.given[missing.name] = _setting(dialogue, candidate, missing)
    key = candidate.key
    if key is not None and key.name not in trial.given and not candidate.has_key:
        # Whether a provider can start without a key is not known before its required settings are there.
        is_optional = candidate.state == "ready" or bool(candidate.missing)
        if not trial.ask_key(optional=is_optional) and not is_optional:
            return None
    if not flags.check:
        return trial.unchecked(dialogue.texts("init.no_check"))
    return _checked(trial)


def _checked(trial: _Trial) -> Chosen | None:
    """Ask the provider for its models until it answers, with other settings after failures."""
    dialogue, candidate = trial.dialogue, trial.candidate
    while True:
        dialogue.say("init.provider_asked", provider=candidate.title)
        tried = asyncio.run(trial.setup.try_provider(candidate, {candidate.plugin_id: trial.given}))
        if not tried.problem and tried.models:
            dialogue.say("init.provider_ok", provider=candidate.title, count=len(tried.models))
            return trial.chosen(choose_model(dialogue, tried, trial.flags.model))
        reason = tried.reason or dialogue.texts("init.provider_empty")
        _stop_unless_asking(dialogue, candidate, tried, reason, trial.flags)
        dialogue.warn("init.provider_failed", provider=candidate.title, reason=reason)
        match _next(dialogue, candidate, tried):
            case "key":
                if not trial.ask_key(optional=False):
                    return None
            case "address":
                trial.ask_address()
            case "skip":
                return trial.unchecked(reason)
            case "other":
                return None
            case _:
                pass


def _from_flags(dialogue: Dialogue, candidate: Candidate, flags: InitFlags) -> dict[str, object]:
    given: dict[str, object] = dict(candidate.settings)
    if flags.key_file is not None:
        if candidate.key is None:
            raise ConfigError(dialogue.texts("init.key_useless", provider=candidate.title))
        given[candidate.key.name] = read_secret(flags.key_file, "--key-file")
        redactor.add(str(given[candidate.key.name]))
    if flags.base_url is not None:
        if candidate.address is None:
            raise ConfigError(dialogue.texts("init.address_useless", provider=candidate.title))
        given[candidate.address.name] = flags.base_url.strip()
    return given


def _stop_unless_asking(dialogue: Dialogue, candidate: Candidate, tried: Tried, reason: str, flags: InitFlags) -> None:
    """Raise the failure as an error if nothing may be asked, or if the refused key comes from a flag."""
    if dialogue.asks and not (tried.problem == "key" and flags.key_file is not None):
        return
    text = dialogue.texts("init.provider_failed", provider=candidate.title, reason=reason)
    if tried.problem in {"key", "setting"}:
        raise ConfigError(text)
    raise TgllmError(f"{text} {dialogue.texts('init.unchecked_flag')}")


def _next(dialogue: Dialogue, candidate: Candidate, tried: Tried) -> str:
    """Ask how to go on after a failure."""
    if tried.problem == "key":
        return "key"
    if tried.problem == "setting" and candidate.address is not None and tried.field == candidate.address.name:
        return "address"
    answer = dialogue.ask("init.provider_choice", default="").casefold()
    return {"k": "key", "a": "address", "s": "skip", "p": "other"}.get(answer, "again")


def _chosen(
    setup: ProviderSetup, candidate: Candidate, given: dict[str, object], model: str, *, unchecked: str = ""
) -> Chosen:
    env = setup.env_of(candidate)
    settings = setup.settings_of(candidate.plugin_id, env, {candidate.plugin_id: given})
    before = setup.settings_of(candidate.plugin_id, env, {})
    key = candidate.key
    is_shadowed = (
        key is not None and key.name in given and (value_at(before, key.name) or given[key.name]) != given[key.name]
    )
    own = f"TGLLM_PLUGINS__{candidate.plugin_id}__{key.name.replace('.', '__')}".upper() if key else ""
    variable = (key.variable or own) if key else ""
    return Chosen(candidate.title, candidate.plugin_id, settings, model, unchecked, variable if is_shadowed else "")


def _key(dialogue: Dialogue, candidate: Candidate, key: Field, *, optional: bool) -> str:
    """Ask for a key; empty for none."""
    flag = f"--key-file, {key.variable}" if key.variable else "--key-file"
    while True:
        default = "" if dialogue.asks or optional else None
        answer = dialogue.ask(
            "init.key_optional" if optional else "init.key",
            flag=flag,
            hidden=True,
            default=default,
            provider=candidate.title,
        )
        if answer.isprintable():
            redactor.add(answer)
            return answer
        # Such as a lone surrogate from a terminal with another encoding, which no file could store.
        dialogue.warn("init.wrong_answer", reason=dialogue.texts("init.key_wrong"))


def _setting(dialogue: Dialogue, candidate: Candidate, setting: Field) -> str:
    is_address = candidate.address is not None and setting.name == candidate.address.name
    name = f"plugins.{candidate.plugin_id}.{setting.name}"
    flag = "--base-url" if is_address else f"TGLLM_{name.replace('.', '__').upper()}"
    while True:
        answer = dialogue.ask(
            "init.address" if is_address else "init.setting",
            flag=flag,
            hidden=setting.is_secret,
            provider=candidate.title,
            setting=name,
            meaning=setting.meaning,
        )
        if answer:
            return answer
