"""``tgllm init``: from nothing to a bot that answers, by answers and by flags."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli_support import Init, Shell, copies, exists, is_link, link, mode, put, read, settings
from tgllm.config.load import load_config
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.state.bots import WebhookSettings
from tgllm.testing.fake_providers import FakeMistral


def secret_file(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


class TestAnswers:
    async def test_they_lead_to_a_file_with_which_the_bot_can_start(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral
    ) -> None:
        result = await init(emu.token, "12 34", "1", mistral.key, "")

        assert result.code == 0, result.err
        assert mode(path) == 0o600
        config = load_config(config_path=path, environ={}).config
        assert config.bot_token is not None
        assert config.bot_token.get_secret_value() == emu.token
        assert config.admin_ids == (12, 34)
        assert config.default_model == "mistral/mistral-small-2603"
        assert config.telegram_api == emu.base_url
        assert settings(path)["plugins"]["mistral"] == {"api_key": mistral.key, "base_url": mistral.base_url}
        assert emu.token not in result.out + result.err
        assert mistral.key not in result.out + result.err
        assert "Not checked" not in result.out
        assert "https://t.me/demo_bot" in result.out

    async def test_the_file_says_what_each_setting_is(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral
    ) -> None:
        await init(emu.token, "12", "1", mistral.key, "")
        lines = read(path).splitlines()

        assert "docs/reference/configuration.md" in lines[1]
        for key in ("bot_token", "admin_ids", "default_model"):
            at = next(number for number, line in enumerate(lines) if line.startswith(f"{key} ="))
            assert lines[at - 1].startswith("# ")
        assert '# language = "en"' in lines

    async def test_wrong_ones_are_asked_again(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral
    ) -> None:
        answers = ("nonsense", "42:AA-of-a-deleted-bot", emu.token, "@ann", "0", "12", "9", "mistral", "wrong-key")
        result = await init(*answers, mistral.key, "no-such-model", "medium", "1")

        assert result.code == 0, result.err
        assert "BotFather" in result.err
        assert "Telegram does not know this token" in result.err
        assert "@ann" in result.err
        assert "number from 0 to 1" in result.err
        assert "Mistral can't be used" in result.err
        assert "There is no model no-such-model" in result.err
        assert settings(path)["default_model"] == "mistral/mistral-medium-3-5"
        assert settings(path)["admin_ids"] == [12]
        assert "deleted-bot" not in result.out + result.err

    async def test_input_that_ends_early_writes_nothing(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral
    ) -> None:
        answers = (emu.token, "12", "1", mistral.key)
        for end in range(len(answers)):
            assert (await init(*answers[:end])).code == 1
            assert not exists(path.parent)

    async def test_a_key_with_special_characters_comes_back(
        self, init: Init, path: Path, emu: Emulator, install: Callable[..., None]
    ) -> None:
        install("keyed-plugin", KEYED, tgllm={"keyed": "keyed_plugin"})
        result = await init(emu.token, "12", "keyed", "a \"key\" \\ with ü 😀 # '''", "")

        assert result.code == 0, result.err
        assert settings(path)["plugins"]["keyed"] == {"api_key": "a \"key\" \\ with ü 😀 # '''"}

    async def test_a_key_that_no_file_can_hold_is_asked_again(
        self, init: Init, path: Path, emu: Emulator, install: Callable[..., None]
    ) -> None:
        install("keyed-plugin", KEYED, tgllm={"keyed": "keyed_plugin"})
        result = await init(emu.token, "12", "keyed", "a\udce4b", "a\x1bb", "key", "")

        assert result.code == 0, result.err
        assert settings(path)["plugins"]["keyed"] == {"api_key": "key"}

    async def test_enter_in_place_of_a_key_chooses_another_provider(
        self, init: Init, path: Path, emu: Emulator
    ) -> None:
        result = await init(emu.token, "12", "1", "", "0")

        assert result.code == 0, result.err
        assert "Only the echo provider answers" in result.out
        assert "default_model" not in settings(path)
        assert "plugins" not in settings(path)


KEYED = """
from pydantic import BaseModel, SecretStr
from tgllm import hookimpl
from tgllm.api import ModelInfo, PluginInfo, Provider, ProviderSpec, NotConfigured

class Settings(BaseModel):
    api_key: SecretStr | None = None

class Keyed(Provider):
    async def list_models(self):
        return [ModelInfo("one")]
    async def generate(self, request):
        yield None

def create(ctx):
    if ctx.settings.api_key is None:
        raise NotConfigured("Keyed has no key", variable="KEYED_API_KEY")
    return Keyed()

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="keyed", title="Keyed", api="1.0", settings=Settings, env={"api_key": "KEYED_API_KEY"})

@hookimpl
def tgllm_providers():
    return [ProviderSpec("keyed", "Keyed models", create)]
"""


class TestFlags:
    async def test_nothing_is_asked(
        self, init: Init, shell: Shell, path: Path, emu: Emulator, mistral: FakeMistral
    ) -> None:
        token, key = (
            secret_file(shell.folder, "token", f"{emu.token}\n"),
            secret_file(shell.folder, "key", f" {mistral.key} \r\n"),
        )
        options = ("--token-file", token, "--admin", "12", "--admin", "34", "--provider", "mistral", "--key-file", key)
        result = await init(options=(*options, "--model", "mistral-medium-3-5", "--yes"))

        assert (result.code, result.err) == (0, "")
        assert settings(path)["admin_ids"] == [12, 34]
        assert settings(path)["default_model"] == "mistral/mistral-medium-3-5"
        assert settings(path)["plugins"]["mistral"]["api_key"] == mistral.key
        assert result.out.endswith("tgllm run\n")

    async def test_secrets_may_come_by_standard_input(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral
    ) -> None:
        options = ("--token-file", "-", "--key-file", "-", "--admin", "12", "--model", "mistral/mistral-small-latest")
        result = await init(emu.token, mistral.key, options=(*options, "--yes"))

        assert result.code == 0, result.err
        assert settings(path)["bot_token"] == emu.token
        assert settings(path)["default_model"] == "mistral/mistral-small-latest"

    async def test_the_environment_is_enough(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TGLLM_BOT_TOKEN", emu.token)
        monkeypatch.setenv("TGLLM_ADMIN_IDS", "12")
        monkeypatch.setenv("MISTRAL_API_KEY", mistral.key)
        result = await init(options=("--yes",))

        assert (result.code, result.err) == (0, "")
        # Also where the environment is another one, such as under systemd.
        assert settings(path)["bot_token"] == emu.token
        assert settings(path)["plugins"]["mistral"]["api_key"] == mistral.key
        assert settings(path)["default_model"] == "mistral/mistral-small-2603"

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (("--admin", "ann"), "--admin must be Telegram user ids"),
            (("--provider", "mistrall"), "no installed provider is called mistrall (did you mean mistral?)"),
            (("--provider", "mistral", "--model", "mistral-smal"), "there is no model mistral-smal"),
            (("--provider", "mistral", "--key-file", "nowhere"), "nowhere can't be read: no such file"),
            (("--telegram-api", "nonsense"), "must be an address such as"),
            (("--token-file", "nowhere"), "nowhere can't be read: no such file"),
            (("--base-url", "ftp://here", "--provider", "mistral"), "base_url is wrong"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )
    async def test_wrong_ones_are_named_and_nothing_is_settings(
        self,
        init: Init,
        path: Path,
        emu: Emulator,
        mistral: FakeMistral,
        monkeypatch: pytest.MonkeyPatch,
        options: tuple[str, ...],
        told: str,
    ) -> None:
        monkeypatch.setenv("TGLLM_BOT_TOKEN", emu.token)
        monkeypatch.setenv("MISTRAL_API_KEY", mistral.key)
        result = await init(options=("--admin", "12", *options, "--yes"))

        assert result.code == 2, result.out
        assert told in result.err.lower() or told in result.err
        assert not exists(path)

    @pytest.mark.parametrize("content", ["", " \n", "one\ntwo\n", "a\x00b", "bot"])
    async def test_a_file_with_something_else_than_a_token_is_refused(
        self, init: Init, shell: Shell, path: Path, content: str
    ) -> None:
        token = secret_file(shell.folder, "token", content)
        result = await init(options=("--token-file", token, "--admin", "12", "--yes"))

        assert result.code == 2
        assert "--token-file" in result.err
        assert not exists(path)

    async def test_a_refused_token_ends_it(self, init: Init, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_BOT_TOKEN", "42:AA-of-a-deleted-bot")
        result = await init(options=("--admin", "12", "--yes"))

        assert result.code == 2
        assert "Telegram does not know this bot token" in result.err
        assert "deleted" not in result.err
        assert not exists(path)

    async def test_a_refused_key_ends_it(
        self, init: Init, shell: Shell, path: Path, emu: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TGLLM_BOT_TOKEN", emu.token)
        key = secret_file(shell.folder, "key", "wrong-key-of-somebody")
        result = await init(options=("--admin", "12", "--provider", "mistral", "--key-file", key, "--yes"))

        assert result.code == 2
        assert "Mistral can't be used" in result.err
        assert "wrong-key-of-somebody" not in result.err
        assert not exists(path)

    async def test_no_secret_stands_in_the_command_line(self, init: Init) -> None:
        for option in ("--token", "--key"):
            result = await init(options=(option, "secret-of-mine"))
            assert result.code == 2
            assert "secret-of-mine" not in result.err


class TestWebhook:
    async def test_its_address_is_written(self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral) -> None:
        options = ("--webhook", "http://127.0.0.1:9/hook")
        result = await init(emu.token, "12", "1", mistral.key, "", options=options)

        assert result.code == 0, result.err
        assert load_config(config_path=path, environ={}).config.webhook.url == "http://127.0.0.1:9/hook"

    async def test_one_that_is_set_is_no_obstacle_for_the_bot(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral
    ) -> None:
        emu.bot.webhook = WebhookSettings("http://127.0.0.1:9/hook")
        options = ("--webhook", "http://127.0.0.1:9/hook")
        result = await init(emu.token, "n", "12", "1", mistral.key, "", options=options)

        assert result.code == 0, result.err
        assert "sets its own webhook when it starts" in result.out
        assert emu.bot.webhook is not None


class TestWithoutNetwork:
    async def test_it_goes_on_without_the_check_and_says_so(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral
    ) -> None:
        options = ("--telegram-api", "http://127.0.0.1:9")
        result = await init(emu.token, "", "s", "12", "1", mistral.key, "", options=options)

        assert result.code == 0, result.err
        assert result.err.count("Telegram can't be asked") == 2
        assert "127.0.0.1:9" in result.err
        assert "Not checked: the token" in result.out
        assert settings(path)["telegram_api"] == "http://127.0.0.1:9"

    async def test_an_answer_in_html_is_named(self, init: Init, emu: Emulator, mistral: FakeMistral) -> None:
        emu.faults.add(Fault.bad_gateway("getMe"))
        result = await init(emu.token, "", "12", "1", mistral.key, "")

        assert result.code == 0, result.err
        assert "Telegram can't be asked" in result.err
        assert emu.token not in result.err

    async def test_with_yes_it_ends_unless_checks_are_skipped(
        self, init: Init, path: Path, emu: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TGLLM_BOT_TOKEN", emu.token)
        options = ("--telegram-api", "http://127.0.0.1:9", "--admin", "12", "--yes")
        result = await init(options=options)
        assert result.code == 1
        assert "--no-check" in result.err
        assert not exists(path)

        result = await init(options=(*options, "--no-check"))
        assert result.code == 0, result.err
        assert "Not checked: the token" in result.out

    @pytest.mark.parametrize("fault", ["empty", "down"])
    async def test_a_provider_that_does_not_answer(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral, fault: str
    ) -> None:
        if fault == "empty":
            mistral.models.clear()
        else:
            await mistral.stop()
        result = await init(emu.token, "12", "1", mistral.key, "", "s", "mistral-tiny")

        assert result.code == 0, result.err
        assert result.err.count("Mistral can't be used") == 2
        assert "Not checked: the key of Mistral" in result.out
        assert settings(path)["default_model"] == "mistral/mistral-tiny"


class TestFiles:
    async def test_a_file_that_is_there_stays(self, init: Init, path: Path) -> None:
        put(path, "# mine")
        result = await init("anything")

        assert (result.code, result.out) == (2, "")
        assert "--force" in result.err
        assert read(path) == "# mine"

    async def test_with_force_a_copy_of_it_is_kept(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral
    ) -> None:
        put(path, "not toml, but mine")
        result = await init(emu.token, "12", "1", mistral.key, "", options=("--force",))

        assert result.code == 0, result.err
        (copy,) = copies(path)
        assert read(copy) == "not toml, but mine"
        assert mode(copy) == 0o600
        assert str(copy) in result.out
        assert settings(path)["bot_token"] == emu.token
        assert mode(path) == 0o600

    @pytest.mark.parametrize("force", [(), ("--force",)])
    @pytest.mark.parametrize("kind", ["folder", "dangling", "below a file"])
    async def test_what_can_t_be_written_is_named_before_anything_is_asked(
        self, init: Init, path: Path, kind: str, force: tuple[str, ...]
    ) -> None:
        match kind:
            case "below a file":
                put(path.parent, "")
            case "folder":
                put(path / "file", "")
            case _:
                link(path, path.parent / "nowhere")
        result = await init("anything", options=force)

        assert (result.code, result.out) == (2, "")
        assert str(path) in result.err

    async def test_a_link_stays_a_link(self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral) -> None:
        real = path.parent / "real.toml"
        put(real, "# mine")
        link(path, real)
        assert (await init("anything")).code == 2
        result = await init(emu.token, "12", "1", mistral.key, "", options=("--force",))

        assert result.code == 0, result.err
        assert is_link(path)
        assert settings(real)["bot_token"] == emu.token

    async def test_a_read_only_folder_is_named_first(
        self, init: Init, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(path.parent / "other", "")
        monkeypatch.setattr("os.access", lambda *_: False)
        result = await init("anything")

        assert (result.code, result.out) == (2, "")
        assert "read-only" in result.err

    async def test_without_a_home_the_file_has_to_be_named(self, init: Init, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TGLLM_CONFIG")
        monkeypatch.setattr("tgllm.config.load.default_config_path", lambda: Path("~/.config/tgllm/config.toml"))
        result = await init("anything")

        assert (result.code, result.out) == (2, "")
        assert "HOME" in result.err
        assert "--config" in result.err

    async def test_the_file_that_a_dotenv_names_is_settings(
        self, init: Init, shell: Shell, path: Path, emu: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("TGLLM_CONFIG")
        put(shell.folder / ".env", f"TGLLM_CONFIG={path}\n")
        result = await init(emu.token, "12", "0")

        assert result.code == 0, result.err
        assert exists(path)
        assert result.out.endswith("tgllm run\n")

    async def test_what_is_to_be_called_next_can_be_copied(self, init: Init, shell: Shell, emu: Emulator) -> None:
        target = shell.folder / "my bot.toml"
        result = await init(emu.token, "12", "0", options=("--config", str(target)))

        assert result.out.endswith(f"tgllm run --config '{target}'\n")

    async def test_wrong_settings_in_the_environment_are_named_before_anything_is_asked(
        self, init: Init, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TGLLM_ADMIN_ID", "1")
        result = await init("anything")

        assert (result.code, result.out) == (2, "")
        assert "TGLLM_ADMIN_IDS?" in result.err


class TestSystemd:
    async def test_a_unit_is_written_on_request(
        self, init: Init, home: Path, path: Path, emu: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tgllm.services.setup.unit.has_systemd", lambda: True)
        result = await init(emu.token, "12", "0", "y")

        assert result.code == 0, result.err
        unit = home / "systemd" / "user" / "tgllm.service"
        assert f"--config {path}" in read(unit)
        assert "systemctl --user enable --now tgllm" in result.out

    async def test_one_that_is_there_stays(
        self, init: Init, home: Path, path: Path, emu: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unit = home / "systemd" / "user" / "tgllm.service"
        put(unit, "mine")
        result = await init(emu.token, "12", "0", options=("--systemd",))

        assert result.code == 0
        assert read(unit) == "mine"
        assert str(unit) in result.err

    async def test_by_default_there_is_none(self, init: Init, home: Path, emu: Emulator) -> None:
        assert (await init(emu.token, "12", "0")).code == 0
        assert not exists(home / "systemd")


class TestProviders:
    async def test_without_any_it_names_packages(
        self, init: Init, path: Path, emu: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "gemini,dipseek,llm,local,mistral,openai,anthropic")
        result = await init(emu.token, "12")

        assert result.code == 0, result.err
        assert "pip install tgllm-mistral" in result.out
        assert "Only the echo provider answers" in result.out
        assert exists(path)

    async def test_a_long_list_is_shown_in_part_and_filtered(
        self, init: Init, path: Path, emu: Emulator, install: Callable[..., None]
    ) -> None:
        many = KEYED.replace('[ModelInfo("one")]', '[ModelInfo(f"open-model-{n}") for n in range(5000)]')
        install("keyed-plugin", many, tgllm={"keyed": "keyed_plugin"})
        result = await init(emu.token, "12", "keyed", "key", "open 77", "model-4321", "")

        assert result.code == 0, result.err
        assert settings(path)["default_model"] == "keyed/open-model-4321"
        assert "further ones: 4980" in result.out
        assert len(result.out.splitlines()) < 80

    async def test_an_address_that_a_plugin_requires_is_asked_for(
        self, init: Init, path: Path, emu: Emulator, install: Callable[..., None]
    ) -> None:
        install("placed-plugin", PLACED, tgllm={"placed": "placed_plugin"})
        result = await init(emu.token, "12", "placed", "nonsense", "", "http://127.0.0.1:9/v1", "")

        assert result.code == 0, result.err
        assert "base_url is wrong" in result.err
        assert settings(path)["plugins"]["placed"] == {"base_url": "http://127.0.0.1:9/v1"}
        assert settings(path)["default_model"] == "placed/one"

    async def test_a_broken_plugin_is_named_and_the_others_can_be_chosen(
        self, init: Init, path: Path, emu: Emulator, mistral: FakeMistral, install: Callable[..., None]
    ) -> None:
        install("broken-plugin", "raise OSError('no disk')", tgllm={"broken": "broken_plugin"})
        result = await init(emu.token, "12", "1", mistral.key, "")

        assert result.code == 0, result.err
        assert "Plugin broken does not work" in result.err
        assert "no disk" in result.err

    async def test_a_variable_that_overrides_the_file_is_named(
        self, init: Init, shell: Shell, path: Path, emu: Emulator, mistral: FakeMistral, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MISTRAL_API_KEY", "an-old-key")
        key = secret_file(shell.folder, "key", mistral.key)
        result = await init(emu.token, "12", "", options=("--provider", "mistral", "--key-file", key))

        assert result.code == 0, result.err
        assert "MISTRAL_API_KEY is set too" in result.out
        assert settings(path)["plugins"]["mistral"]["api_key"] == mistral.key


PLACED = """
from pydantic import BaseModel, Field, SecretStr
from tgllm import hookimpl
from tgllm.api import ModelInfo, PluginInfo, Provider, ProviderSpec

class Settings(BaseModel):
    base_url: str = Field(pattern="^https?://")
    api_key: SecretStr | None = None

class Placed(Provider):
    async def list_models(self):
        return [ModelInfo("one")]
    async def generate(self, request):
        yield None

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="placed", title="Placed", api="1.0", settings=Settings)

@hookimpl
def tgllm_providers():
    return [ProviderSpec("placed", "Placed models", lambda ctx: Placed())]
"""
