"""Secrets in files that ``NAME_FILE`` names, as Docker, Kubernetes and systemd provide them."""

import os
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from config_support import TOKEN, Operator
from tgllm.api.context import PluginInfo
from tgllm.api.errors import ConfigError
from tgllm.config.exposure import exposed_files
from tgllm.config.password_hash import hash_password
from tgllm.config.sources.keys import SECRETS, variable
from tgllm.observe.redaction import redact
from tgllm.plugins.loading.settings import read_settings

KEY = "key-of-a-provider-9c1e"
NAMES = {"api_key": "GEMINI_API_KEY"}


class Account(BaseModel):
    token: SecretStr | None = None


class Settings(BaseModel):
    """Settings of a plugin that has a file of its own, next to secrets."""

    api_key: SecretStr | None = None
    proxy: SecretStr | None = None
    base_url: str | None = None
    ca_file: str | None = None
    account: Account | None = None


INFO = PluginInfo(id="gemini", title="Gemini", api="1.0", settings=Settings, env=NAMES)


@pytest.fixture
def secret(operator: Operator) -> Path:
    """A file with a token, in another folder than the current one."""
    return written(operator.folder.parent / "run" / "secrets" / "token", f"{TOKEN}\n")


def written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return path


def of_plugin(operator: Operator) -> Settings:
    settings = read_settings(INFO, operator.loads().plugins)
    assert isinstance(settings, Settings)
    return settings


def refused(operator: Operator) -> str:
    """The error about the plugin's settings."""
    plugins = operator.loads().plugins
    with pytest.raises(ConfigError) as caught:
        read_settings(INFO, plugins)
    return str(caught.value)


class TestOfTheBot:
    @pytest.mark.parametrize("ending", ["", "\n", "\r\n", " \n\n"])
    def test_a_token_without_its_line_end(self, operator: Operator, secret: Path, ending: str) -> None:
        written(secret, TOKEN + ending)
        operator.environ["TGLLM_BOT_TOKEN_FILE"] = str(secret)
        loaded = operator.loads()

        assert loaded.config.bot_token == SecretStr(TOKEN)
        assert str(loaded.sources["bot_token"]) == f"environment variable TGLLM_BOT_TOKEN_FILE, which names {secret}"
        assert redact(f"error about {TOKEN.partition(':')[2]}") != f"error about {TOKEN.partition(':')[2]}"

    @pytest.mark.parametrize("key", sorted(SECRETS))
    def test_every_secret_has_such_a_variable(self, operator: Operator, key: str) -> None:
        operator.environ[variable(key) + "_FILE"] = "/nowhere/secret"

        assert operator.is_told().startswith(
            f"environment variable {variable(key)}_FILE: there is no file /nowhere/secret"
        )

    def test_the_hash_of_the_admin_password(self, operator: Operator, secret: Path) -> None:
        written(secret, f"{hash_password('correct horse')}\n")
        operator.environ["TGLLM_ADMIN__PASSWORD_HASH_FILE"] = str(secret)

        assert operator.loads().config.admin.password_hash is not None

    def test_a_password_in_place_of_its_hash_is_not_repeated(self, operator: Operator, secret: Path) -> None:
        written(secret, "correct horse")
        operator.environ["TGLLM_ADMIN__PASSWORD_HASH_FILE"] = str(secret)

        told = operator.is_told()
        assert f"TGLLM_ADMIN__PASSWORD_HASH_FILE, which names {secret}: must be a hash" in told
        assert "correct" not in told

    def test_an_address_with_a_password_and_a_long_prompt(self, operator: Operator, secret: Path) -> None:
        operator.environ |= {"TGLLM_TELEGRAM_API_FILE": str(secret), "TGLLM_SYSTEM_PROMPT_FILE": str(secret) + "2"}
        written(secret, "http://me:pw@127.0.0.1:8081\n")
        written(secret.with_name("token2"), "Be brief.\n\nBe kind.\n")
        config = operator.loads().config

        assert config.telegram_api == "http://me:pw@127.0.0.1:8081"
        assert config.system_prompt == "Be brief.\n\nBe kind."

    @pytest.mark.parametrize("place", ["file", "dotenv"])
    def test_a_relative_path_begins_beside_the_file_that_names_it(self, operator: Operator, place: str) -> None:
        written(operator.folder / "secrets" / "token", TOKEN)
        if place == "file":
            operator.writes_toml('bot_token_file = "secrets/token"')
        else:
            operator.writes_dotenv("TGLLM_BOT_TOKEN_FILE=secrets/token")

        assert operator.loads().config.bot_token == SecretStr(TOKEN)

    def test_in_a_table_of_the_file(self, operator: Operator, secret: Path) -> None:
        written(secret, str(hash_password("correct horse")))
        operator.writes_toml(f'[admin]\npassword_hash_file = "{secret}"')

        assert operator.loads().config.admin.password_hash is not None

    def test_an_empty_variable_counts_as_unset(self, operator: Operator, secret: Path) -> None:
        operator.environ |= {"TGLLM_BOT_TOKEN": "", "TGLLM_BOT_TOKEN_FILE": str(secret)}
        assert operator.loads().config.bot_token == SecretStr(TOKEN)

        operator.environ |= {"TGLLM_BOT_TOKEN": TOKEN, "TGLLM_BOT_TOKEN_FILE": " "}
        assert operator.loads().config.bot_token == SecretStr(TOKEN)

    def test_a_stronger_source_wins_and_the_file_is_not_read(self, operator: Operator) -> None:
        operator.writes_toml('bot_token_file = "missing"')
        operator.environ["TGLLM_BOT_TOKEN"] = TOKEN

        assert str(operator.loads().sources["bot_token"]) == "environment variable TGLLM_BOT_TOKEN"

    def test_a_stronger_file_wins(self, operator: Operator, secret: Path) -> None:
        operator.writes_toml('bot_token = "1:x"')
        operator.environ["TGLLM_BOT_TOKEN_FILE"] = str(secret)

        assert operator.loads().config.bot_token == SecretStr(TOKEN)

    def test_other_settings_have_none(self, operator: Operator) -> None:
        operator.environ["TGLLM_ADMIN_IDS_FILE"] = "/x"

        assert operator.is_told() == (
            "environment: unknown variable TGLLM_ADMIN_IDS_FILE; did you mean TGLLM_ADMIN_IDS?"
        )

    def test_a_mistyped_one(self, operator: Operator) -> None:
        operator.environ["TGLLM_BOT_TOKN_FILE"] = "/x"

        assert operator.is_told().endswith("did you mean TGLLM_BOT_TOKEN_FILE?")


class TestBoth:
    def test_in_the_environment(self, operator: Operator, secret: Path) -> None:
        operator.environ |= {"TGLLM_BOT_TOKEN": TOKEN, "TGLLM_BOT_TOKEN_FILE": str(secret)}

        assert operator.is_told() == (
            "environment: both TGLLM_BOT_TOKEN and TGLLM_BOT_TOKEN_FILE are set; keep one of them"
        )

    def test_in_a_dotenv(self, operator: Operator) -> None:
        operator.writes_dotenv(f"TGLLM_BOT_TOKEN={TOKEN}\nTGLLM_BOT_TOKEN_FILE=x")

        assert f"{operator.dotenv}:2: both TGLLM_BOT_TOKEN and TGLLM_BOT_TOKEN_FILE are set" in operator.is_told()

    @pytest.mark.parametrize(
        "table",
        [f'bot_token = "{TOKEN}"\nbot_token_file = "x"', '[admin]\npassword_hash = "x"\npassword_hash_file = "y"'],
    )
    def test_in_the_file(self, operator: Operator, table: str) -> None:
        operator.writes_toml(table)

        assert " are set; keep one of them" in operator.is_told()

    @pytest.mark.parametrize(
        ("name", "in_file"),
        [
            ("GEMINI_API_KEY", "GEMINI_API_KEY_FILE"),
            ("TGLLM_PLUGINS__GEMINI__API_KEY", "TGLLM_PLUGINS__GEMINI__API_KEY_FILE"),
        ],
    )
    def test_of_a_plugin(self, operator: Operator, name: str, in_file: str) -> None:
        operator.environ |= {name: KEY, in_file: "/x"}

        assert refused(operator) == f"environment: both {name} and {in_file} are set; keep one of them"


class TestWrongFiles:
    def check(self, operator: Operator, path: Path, expected: str) -> None:
        operator.environ = {"TGLLM_BOT_TOKEN_FILE": str(path)}
        told = operator.is_told()
        assert told.startswith(f"environment variable TGLLM_BOT_TOKEN_FILE: {expected}")
        assert str(path) in told
        assert "AAHdq" not in told

        operator.environ = {"GEMINI_API_KEY_FILE": str(path)}
        told = refused(operator)
        assert told.startswith(f"environment variable GEMINI_API_KEY_FILE: {expected}")
        assert str(path) in told

    def test_missing(self, operator: Operator, secret: Path) -> None:
        secret.unlink()
        self.check(operator, secret, f"there is no file {secret}")

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            ("", "is empty"),
            (" \n", "is empty"),
            (b"\xff\xfe1\x00:\x00", "is not UTF-8 text"),
            (b"1:AAHdq\x00", "is not UTF-8 text"),
            (b"1:" + b"AAHdq" * 20_000, "is too large for a secret: more than 64 KiB"),
        ],
    )
    def test_with_another_content(self, operator: Operator, secret: Path, content: str | bytes, expected: str) -> None:
        self.check(operator, written(secret, content), f"{secret} {expected}")

    def test_a_folder(self, operator: Operator, secret: Path) -> None:
        self.check(operator, secret.parent, f"{secret.parent} is a folder, not a file; Docker makes one")

    def test_a_pipe_is_not_waited_for(self, operator: Operator, secret: Path) -> None:
        secret.unlink()
        os.mkfifo(secret)
        self.check(operator, secret, f"{secret} is not a regular file")

    def test_that_is_not_readable(self, operator: Operator, secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(*_: object) -> int:
            raise PermissionError(13, "Permission denied")

        # Root, as in a container of CI, may read any file.
        monkeypatch.setattr("tgllm.config.sources.secret_files.os.open", denied)
        self.check(operator, secret, f"{secret} can't be read by the user")

    def test_a_link_is_followed(self, operator: Operator, secret: Path) -> None:
        link = secret.with_name("..data")
        link.symlink_to(secret)
        operator.environ["TGLLM_BOT_TOKEN_FILE"] = str(link)

        assert operator.loads().config.bot_token == SecretStr(TOKEN)

    def test_a_wrong_token(self, operator: Operator, secret: Path) -> None:
        written(secret, "AAHdq\nAAHdq")
        operator.environ["TGLLM_BOT_TOKEN_FILE"] = str(secret)

        told = operator.is_told()
        assert told.startswith(f"environment variable TGLLM_BOT_TOKEN_FILE, which names {secret}: must be a bot token")
        assert "AAHdq" not in told

    @pytest.mark.parametrize("value", ["3", "[1]", '""', '"a\\u0000b"', '"~no-such-user-of-that-name/x"'])
    def test_no_path(self, operator: Operator, value: str) -> None:
        operator.writes_toml(f"bot_token_file = {value}")

        assert operator.is_told().startswith(f"{operator.toml}:1 (bot_token_file): must be the path of a file")


class TestOfPlugins:
    @pytest.mark.parametrize("name", ["GEMINI_API_KEY_FILE", "TGLLM_PLUGINS__GEMINI__API_KEY_FILE"])
    def test_a_key(self, operator: Operator, secret: Path, name: str) -> None:
        written(secret, f"{KEY}\n")
        operator.environ[name] = str(secret)

        assert of_plugin(operator).api_key == SecretStr(KEY)
        assert KEY not in redact(f"error about {KEY}")

    def test_a_nested_one(self, operator: Operator, secret: Path) -> None:
        operator.writes_toml(f'[plugins.gemini.account]\ntoken_file = "{secret}"')
        assert of_plugin(operator).account == Account(token=SecretStr(TOKEN))

        operator.environ["TGLLM_PLUGINS__GEMINI__ACCOUNT__TOKEN_FILE"] = str(written(secret.with_name("b"), KEY))
        assert of_plugin(operator).account == Account(token=SecretStr(KEY))

    def test_a_setting_of_that_name_is_the_plugins_own(self, operator: Operator) -> None:
        operator.environ["TGLLM_PLUGINS__GEMINI__CA_FILE"] = "/nowhere"

        assert of_plugin(operator).ca_file == "/nowhere"

    def test_an_unknown_one(self, operator: Operator) -> None:
        operator.environ["TGLLM_PLUGINS__GEMINI__APIKEY_FILE"] = "/nowhere"

        assert "plugins.gemini.apikey_file is no setting of the plugin gemini" in refused(operator)

    def test_a_stronger_source_wins_and_the_file_is_not_read(self, operator: Operator) -> None:
        operator.writes_dotenv("GEMINI_API_KEY_FILE=missing")
        operator.environ["TGLLM_PLUGINS__GEMINI__API_KEY"] = KEY

        assert of_plugin(operator).api_key == SecretStr(KEY)

    def test_within_a_source_the_longer_name_wins(self, operator: Operator, secret: Path) -> None:
        written(secret, KEY)
        operator.environ |= {"GEMINI_API_KEY": "another-key", "TGLLM_PLUGINS__GEMINI__API_KEY_FILE": str(secret)}

        assert of_plugin(operator).api_key == SecretStr(KEY)


class TestTrust:
    """A ``.env`` of somebody else must not send a file of this user to its own address."""

    def test_the_bots_token(self, operator: Operator, secret: Path) -> None:
        operator.writes_dotenv(f"TGLLM_BOT_TOKEN_FILE={secret}\nTGLLM_TELEGRAM_API=http://192.0.2.1\n")

        assert "TGLLM_TELEGRAM_API is refused, because bot_token comes from somewhere else" in operator.is_told()

    @pytest.mark.parametrize(
        "address",
        ["TGLLM_PLUGINS__GEMINI__BASE_URL=http://192.0.2.1", "TGLLM_PLUGINS__GEMINI__PROXY_FILE=proxy"],
    )
    def test_a_plugins_key(self, operator: Operator, secret: Path, address: str) -> None:
        written(operator.folder / "proxy", "http://192.0.2.1")
        operator.writes_dotenv(f"GEMINI_API_KEY_FILE={secret}\n{address}\n")

        assert " is refused, because plugins.gemini.api_key comes from somewhere else" in refused(operator)

    def test_a_link_beside_the_dotenv_leads_elsewhere(self, operator: Operator, secret: Path) -> None:
        (operator.folder / "token").symlink_to(secret)
        operator.writes_dotenv("TGLLM_BOT_TOKEN_FILE=token\nTGLLM_TELEGRAM_API=http://192.0.2.1\n")

        assert "TGLLM_TELEGRAM_API is refused" in operator.is_told()

    def test_a_file_beside_the_dotenv_is_its_own(self, operator: Operator) -> None:
        written(operator.folder / "token", TOKEN)
        operator.writes_dotenv("TGLLM_BOT_TOKEN_FILE=token\nTGLLM_TELEGRAM_API=http://192.0.2.1\n")

        assert operator.loads().config.telegram_api == "http://192.0.2.1"

    def test_without_an_address(self, operator: Operator, secret: Path) -> None:
        operator.writes_dotenv(f"TGLLM_BOT_TOKEN_FILE={secret}\n")

        assert operator.loads().config.bot_token == SecretStr(TOKEN)


class TestExposure:
    @pytest.mark.parametrize("name", ["TGLLM_BOT_TOKEN_FILE", "GEMINI_API_KEY_FILE"])
    def test_files_that_others_can_read(self, operator: Operator, secret: Path, name: str) -> None:
        operator.folder.parent.chmod(0o700)
        operator.environ |= {name: str(secret), "TGLLM_DATA_DIR": str(operator.folder.parent / "none")}
        secret.chmod(0o644)
        loaded = operator.loads()
        read_settings(INFO, loaded.plugins)

        assert [(each.path, each.problem) for each in exposed_files(loaded)] == [(secret, "readable")]

    def test_not_on_a_read_only_file_system(
        self, operator: Operator, secret: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operator.folder.parent.chmod(0o700)
        operator.environ |= {
            "TGLLM_BOT_TOKEN_FILE": str(secret),
            "TGLLM_DATA_DIR": str(operator.folder.parent / "none"),
        }
        secret.chmod(0o444)

        class ReadOnly:
            f_flag = os.ST_RDONLY

        monkeypatch.setattr("tgllm.config.exposure.os.statvfs", lambda _: ReadOnly())
        assert exposed_files(operator.loads()) == []
