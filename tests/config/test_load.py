"""Where settings are read from, and which source wins."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from config_support import TOKEN, Operator
from tgllm.api.errors import ConfigError
from tgllm.config.load import load_config, require_token
from tgllm.config.model import Config
from tgllm.config.password_hash import hash_password
from tgllm.config.paths import database_path, default_config_path
from tgllm.config.sources.keys import FIELDS
from tgllm.observe.redaction import redact


def test_all_has_a_default(operator: Operator) -> None:
    loaded = operator.loads()

    assert loaded.config == Config()
    assert loaded.path is None
    assert loaded.config.default_model == "echo/echo"
    assert loaded.config.telegram_api == "https://api.telegram.org"
    assert {str(source) for source in loaded.sources.values()} == {"default"}
    assert loaded.sources.keys() == FIELDS.keys()


class TestPrecedence:
    def test_a_file_is_stronger_than_a_default(self, operator: Operator) -> None:
        operator.writes_toml("default_model = 'file/m'\n[turns]\nidle_timeout = 1.5\n")
        loaded = operator.loads()

        assert loaded.config.default_model == "file/m"
        assert loaded.config.turns.idle_timeout == 1.5
        assert str(loaded.sources["turns.idle_timeout"]) == f"{operator.toml} (turns.idle_timeout)"
        assert loaded.path == operator.toml

    def test_a_dotenv_is_stronger_than_a_file(self, operator: Operator) -> None:
        operator.writes_toml("default_model = 'file/m'")
        operator.writes_dotenv("TGLLM_DEFAULT_MODEL=dotenv/m\n")
        loaded = operator.loads()

        assert loaded.config.default_model == "dotenv/m"
        assert str(loaded.sources["default_model"]) == f"{operator.dotenv} (TGLLM_DEFAULT_MODEL)"

    def test_the_environment_is_stronger_than_a_dotenv(self, operator: Operator) -> None:
        operator.writes_dotenv("TGLLM_DEFAULT_MODEL=dotenv/m\n")
        operator.environ["TGLLM_DEFAULT_MODEL"] = "env/m"
        loaded = operator.loads()

        assert loaded.config.default_model == "env/m"
        assert str(loaded.sources["default_model"]) == "environment variable TGLLM_DEFAULT_MODEL"

    def test_a_flag_is_stronger_than_the_environment(self, operator: Operator, tmp_path: Path) -> None:
        operator.environ["TGLLM_DATA_DIR"] = "/elsewhere"
        loaded = operator.loads({"data_dir": tmp_path})

        assert loaded.config.data_dir == tmp_path
        assert str(loaded.sources["data_dir"]) == "flag --data-dir"

    def test_sources_are_mixed_within_a_section(self, operator: Operator) -> None:
        operator.writes_toml("[turns]\nattempts = 3\nmax_parallel = 4\n")
        operator.writes_dotenv("TGLLM_TURNS__MAX_PARALLEL=5")
        operator.environ["TGLLM_TURNS__IDLE_TIMEOUT"] = "6"
        turns = operator.loads().config.turns

        assert (turns.attempts, turns.max_parallel, turns.idle_timeout) == (3, 5, 6.0)

    @pytest.mark.parametrize("empty", ["", "  "])
    def test_an_empty_variable_counts_as_unset(self, operator: Operator, empty: str) -> None:
        operator.writes_toml("admin_ids = [7]")
        operator.writes_dotenv("TGLLM_BOT_TOKEN=\nTGLLM_LANGUAGE\n")
        operator.environ |= {"TGLLM_ADMIN_IDS": empty, "TGLLM_NO_SUCH_THING": empty, "TGLLM_CONFIG": empty}
        loaded = operator.loads()

        assert loaded.config.admin_ids == (7,)
        assert loaded.config.bot_token is None

    def test_a_flag_that_was_not_given_counts_as_unset(self, operator: Operator) -> None:
        operator.environ["TGLLM_DATA_DIR"] = "/elsewhere"

        assert operator.loads({"data_dir": None}).config.data_dir == Path("/elsewhere")


class TestConfigFile:
    def test_the_usual_place(self, operator: Operator) -> None:
        path = default_config_path()
        path.parent.mkdir(parents=True)
        path.write_text("language = 'ru'")
        loaded = operator.loads()

        assert loaded.config.language == "ru"
        assert loaded.path == path

    @pytest.mark.parametrize("where", ["environ", "dotenv"])
    def test_named_by_a_variable(self, operator: Operator, where: str) -> None:
        operator.writes_toml("language = 'ru'")
        operator.config_path = None
        if where == "environ":
            operator.environ["TGLLM_CONFIG"] = str(operator.toml)
        else:
            operator.writes_dotenv(f"TGLLM_CONFIG={operator.toml}")

        assert operator.loads().path == operator.toml

    def test_the_flag_is_stronger_than_the_variable(self, operator: Operator) -> None:
        operator.writes_toml("language = 'ru'")
        operator.environ["TGLLM_CONFIG"] = "/no/such/file"

        assert operator.loads().config.language == "ru"

    def test_a_named_one_must_be_there(self, operator: Operator) -> None:
        operator.config_path = operator.folder / "gone.toml"
        assert operator.is_told() == f"flag --config: there is no file {operator.config_path}"

        operator.config_path = None
        operator.environ["TGLLM_CONFIG"] = "/no/such/file"
        assert operator.is_told() == "environment variable TGLLM_CONFIG: there is no file /no/such/file"

    def test_may_begin_with_a_byte_order_mark(self, operator: Operator) -> None:
        operator.writes_toml("\ufefflanguage = 'ru'")

        assert operator.loads().config.language == "ru"


class TestDotenv:
    def test_other_peoples_variables_are_left_alone(self, operator: Operator) -> None:
        operator.writes_dotenv("OTHER=1\nexport TGLLM_LANGUAGE='ru' # mine\n")

        assert operator.loads().config.language == "ru"

    def test_the_environment_is_not_touched(self, operator: Operator) -> None:
        before = dict(os.environ)
        operator.writes_dotenv("TGLLM_LANGUAGE=ru\nOTHER=1\n")
        load_config(cwd=operator.folder)

        assert dict(os.environ) == before

    def test_nothing_in_a_value_is_expanded(self, operator: Operator) -> None:
        operator.writes_dotenv("TGLLM_SYSTEM_PROMPT=a ${HOME} $b\n")

        assert operator.loads().config.system_prompt == "a ${HOME} $b"


class TestValues:
    @pytest.mark.parametrize("text", ["1,2", "1 2", "1, 2", " 1 ;2,", "1,2,1"])
    def test_admin_ids_in_a_variable(self, operator: Operator, text: str) -> None:
        operator.environ["TGLLM_ADMIN_IDS"] = text

        assert operator.loads().config.admin_ids == (1, 2)

    @pytest.mark.parametrize(("text", "ids"), [("[1, 2]", (1, 2)), ("['1']", (1,)), ("7", (7,)), ("[]", ())])
    def test_admin_ids_in_a_file(self, operator: Operator, text: str, ids: tuple[int, ...]) -> None:
        operator.writes_toml(f"admin_ids = {text}")

        assert operator.loads().config.admin_ids == ids

    def test_plugins_to_leave_out(self, operator: Operator) -> None:
        operator.environ["TGLLM_DISABLE_PLUGINS"] = "a, b,a"

        assert operator.loads().config.disable_plugins == ("a", "b")

    @pytest.mark.parametrize("address", ["http://127.0.0.1:8081", "http://127.0.0.1:8081/", "https://h.example/api/"])
    def test_addresses_lose_the_slash_at_their_end(self, operator: Operator, address: str) -> None:
        operator.environ["TGLLM_TELEGRAM_API"] = address

        assert operator.loads().config.telegram_api == address.rstrip("/")

    def test_folders_are_absolute(self, operator: Operator) -> None:
        operator.environ["TGLLM_DATA_DIR"] = "~/bot"

        assert operator.loads().config.data_dir == Path.home() / "bot"
        assert load_config({"data_dir": Path("x")}, environ={}, cwd=operator.folder).config.data_dir == Path.cwd() / "x"

    def test_levels_in_any_case(self, operator: Operator) -> None:
        operator.environ["TGLLM_LOG__LEVEL"] = "WARNING"

        assert operator.loads().config.log.level == "warning"

    @pytest.mark.parametrize("text", ["no", "0", "false"])
    def test_switches(self, operator: Operator, text: str) -> None:
        operator.environ["TGLLM_SENDING__PACED"] = text

        assert operator.loads().config.sending.paced is False

    def test_a_group_may_be_the_chat_of_the_admins(self, operator: Operator) -> None:
        operator.environ["TGLLM_ADMIN_CHAT_ID"] = "-1001234567890"

        assert operator.loads().config.admin_chat_id == -1001234567890

    @pytest.mark.parametrize("token", [TOKEN, "42:TEST"])
    def test_tokens(self, operator: Operator, token: str) -> None:
        operator.environ["TGLLM_BOT_TOKEN"] = f" {token} "
        loaded = operator.loads()

        assert require_token(loaded).get_secret_value() == token
        assert token not in repr(loaded)
        assert token not in redact(f"it is {token}")

    def test_a_missing_token_says_what_to_do(self, operator: Operator) -> None:
        with pytest.raises(ConfigError, match=r"@BotFather.*tgllm init.*TGLLM_BOT_TOKEN"):
            require_token(operator.loads())

    def test_are_frozen(self, operator: Operator) -> None:
        config: Any = operator.loads().config

        with pytest.raises(ValidationError, match="frozen"):
            config.language = "ru"
        with pytest.raises(ValidationError, match="frozen"):
            config.turns.attempts = 3


def test_the_database_is_in_the_data_folder(operator: Operator, tmp_path: Path) -> None:
    config = operator.loads({"data_dir": tmp_path}).config

    assert database_path(config.data_dir) == tmp_path / "tgllm.db"


def test_a_secret_is_a_secret() -> None:
    assert Config(bot_token=SecretStr("42:TEST")).bot_token == SecretStr("42:TEST")
    assert "TEST" not in repr(Config.model_validate({"bot_token": "42:TEST"}))


def test_all_secrets_of_the_settings_are_redacted(operator: Operator) -> None:
    hashed = str(hash_password("open sesame please"))
    address = "http://me:hunter2-hunter2@127.0.0.1:1"
    operator.writes_toml(f'bot_token = "{TOKEN}"\ntelegram_api = "{address}"\n[admin]\npassword_hash = "{hashed}"\n')
    operator.loads()

    shown = redact(f"{TOKEN} {hashed} hunter2-hunter2")
    assert TOKEN not in shown
    assert hashed not in shown
    assert "hunter2" not in shown
