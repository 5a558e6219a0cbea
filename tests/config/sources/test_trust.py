"""A ``.env`` of the current folder gets no secret of another source."""

from pathlib import Path

import pytest

from config_support import TOKEN, Operator
from tgllm.api.errors import ConfigError

ELSEWHERE = "TGLLM_TELEGRAM_API=http://192.0.2.1:8081\n"
ELSEWHERE_TOO = "TGLLM_WEBHOOK__URL=https://192.0.2.1/"


@pytest.fixture
def config(operator: Operator) -> Path:
    """A config file with a token, in another folder than the current one."""
    folder = operator.folder.parent / "etc"
    folder.mkdir()
    operator.config_path = folder / "config.toml"
    operator.config_path.write_text(f'bot_token = "{TOKEN}"\n[plugins.gemini]\napi_key = "k-1234567"\n')
    return operator.config_path


class TestBotToken:
    def test_of_a_config_file_elsewhere(self, operator: Operator, config: Path) -> None:
        operator.writes_dotenv(ELSEWHERE)

        told = operator.is_told()
        assert told.startswith(f"{operator.dotenv}:1: TGLLM_TELEGRAM_API is refused, because bot_token comes from")
        assert f"{config} (bot_token)" in told
        assert TOKEN not in told

    def test_of_the_config_file_that_the_dotenv_names(self, operator: Operator, config: Path) -> None:
        operator.config_path = None
        operator.writes_dotenv(f"TGLLM_CONFIG={config}\n{ELSEWHERE}")

        assert "TGLLM_TELEGRAM_API is refused" in operator.is_told()

    def test_of_the_environment(self, operator: Operator) -> None:
        operator.environ["TGLLM_BOT_TOKEN"] = TOKEN
        operator.writes_dotenv(ELSEWHERE)

        assert "bot_token comes from somewhere else (environment variable TGLLM_BOT_TOKEN)" in operator.is_told()

    def test_a_link_to_the_config_file_does_not_bring_it_here(self, operator: Operator, config: Path) -> None:
        operator.toml.symlink_to(config)
        operator.config_path = operator.toml
        operator.writes_dotenv(ELSEWHERE)

        assert "TGLLM_TELEGRAM_API is refused" in operator.is_told()

    def test_of_the_environment_with_a_config_file_that_the_dotenv_names(self, operator: Operator) -> None:
        operator.environ["TGLLM_BOT_TOKEN"] = TOKEN
        operator.writes_toml('telegram_api = "http://192.0.2.1"')
        operator.config_path = None
        operator.writes_dotenv(f"TGLLM_CONFIG={operator.toml}\n")

        told = operator.is_told()
        assert told.startswith(f"{operator.toml}:1: telegram_api is refused, because bot_token comes from")
        assert "names this config file" in told

    @pytest.mark.parametrize(
        "setting",
        [
            "TGLLM_ADMIN_IDS=1",
            "TGLLM_ADMIN_CHAT_ID=-5",
            "TGLLM_DATA_DIR=data",
            "TGLLM_DISABLE_PLUGINS=gate",
            ELSEWHERE_TOO,
        ],
    )
    def test_of_a_config_file_with_who_controls_the_bot(self, operator: Operator, config: Path, setting: str) -> None:
        operator.writes_dotenv(setting)

        assert f"{setting.partition('=')[0]} is refused" in operator.is_told()


class TestAllowed:
    def test_both_in_the_dotenv(self, operator: Operator) -> None:
        operator.writes_dotenv(f"TGLLM_BOT_TOKEN={TOKEN}\n{ELSEWHERE}TGLLM_ADMIN_IDS=1\n")

        assert operator.loads().config.telegram_api == "http://192.0.2.1:8081"

    def test_a_config_file_beside_it(self, operator: Operator) -> None:
        operator.writes_toml(f'bot_token = "{TOKEN}"')
        operator.writes_dotenv(f"{ELSEWHERE}TGLLM_ADMIN_IDS=1\n")

        assert operator.loads().config.telegram_api == "http://192.0.2.1:8081"

    @pytest.mark.parametrize("how", ["flag", "environment"])
    def test_a_config_file_that_the_operator_names_too(self, operator: Operator, how: str) -> None:
        operator.environ["TGLLM_BOT_TOKEN"] = TOKEN
        operator.writes_toml('telegram_api = "http://192.0.2.1"')
        operator.config_path = operator.toml if how == "flag" else None
        operator.environ |= {"TGLLM_CONFIG": str(operator.toml)} if how == "environment" else {}
        operator.writes_dotenv(f"TGLLM_CONFIG={operator.toml}\n")

        assert operator.loads().config.telegram_api == "http://192.0.2.1"

    def test_both_in_a_config_file_that_the_dotenv_names(self, operator: Operator, config: Path) -> None:
        config.write_text(f'bot_token = "{TOKEN}"\ntelegram_api = "http://192.0.2.1"\n')
        operator.config_path = None
        operator.writes_dotenv(f"TGLLM_CONFIG={config}\n")

        assert operator.loads().config.telegram_api == "http://192.0.2.1"

    def test_a_token_of_the_dotenv_with_a_config_file_that_it_names(self, operator: Operator) -> None:
        operator.writes_toml('telegram_api = "http://192.0.2.1"')
        operator.config_path = None
        operator.writes_dotenv(f"TGLLM_CONFIG={operator.toml}\nTGLLM_BOT_TOKEN={TOKEN}\n")

        assert operator.loads().config.telegram_api == "http://192.0.2.1"

    def test_an_address_of_the_environment_with_a_token_of_the_dotenv(self, operator: Operator) -> None:
        operator.environ["TGLLM_TELEGRAM_API"] = "http://192.0.2.1:8081"
        operator.writes_dotenv(f"TGLLM_BOT_TOKEN={TOKEN}\n")

        assert operator.loads().config.telegram_api == "http://192.0.2.1:8081"

    def test_an_address_that_something_stronger_overrides(self, operator: Operator, config: Path) -> None:
        operator.environ["TGLLM_TELEGRAM_API"] = "http://127.0.0.1:8081"
        operator.writes_dotenv(ELSEWHERE)

        assert operator.loads().config.telegram_api == "http://127.0.0.1:8081"

    def test_other_settings(self, operator: Operator, config: Path) -> None:
        operator.writes_dotenv("TGLLM_LANGUAGE=ru\nTGLLM_LOG__LEVEL=debug\nMISTRAL_API_KEY=m\n")

        assert operator.loads().config.language == "ru"

    def test_owners_with_a_token_of_the_environment(self, operator: Operator) -> None:
        operator.environ["TGLLM_BOT_TOKEN"] = TOKEN
        operator.writes_dotenv("TGLLM_ADMIN_IDS=1\nTGLLM_DATA_DIR=data\n")

        assert operator.loads().config.admin_ids == (1,)


NAMES = {"api_key": "GEMINI_API_KEY"}


def refused(operator: Operator, plugin: str = "gemini") -> str:
    with pytest.raises(ConfigError) as caught:
        operator.loads().plugins.for_plugin(plugin, NAMES)
    return str(caught.value)


class TestPluginKey:
    @pytest.mark.parametrize(
        "field", ["BASE_URL", "PROXY", "HOST", "API_ENDPOINT", "NET__BASE_URL", "API_BASE", "A__PRESET", "WHERE"]
    )
    def test_of_a_config_file_elsewhere(self, operator: Operator, config: Path, field: str) -> None:
        operator.writes_dotenv(f"TGLLM_PLUGINS__GEMINI__{field}=http://192.0.2.1\n")

        told = refused(operator)
        assert told.startswith(f"{operator.dotenv}:1: TGLLM_PLUGINS__GEMINI__{field} is refused")
        assert f"plugins.gemini.api_key comes from somewhere else ({config} (plugins.gemini.api_key))" in told
        assert "k-1234567" not in told

    @pytest.mark.parametrize("name", ["GEMINI_API_KEY", "TGLLM_PLUGINS__GEMINI__API_KEY"])
    def test_of_the_environment(self, operator: Operator, name: str) -> None:
        operator.environ[name] = "k-1234567"
        operator.writes_dotenv("TGLLM_PLUGINS__GEMINI__BASE_URL=http://192.0.2.1\n")

        assert f"(environment variable {name})" in refused(operator)

    def test_of_the_environment_with_a_config_file_that_the_dotenv_names(self, operator: Operator) -> None:
        operator.environ["GEMINI_API_KEY"] = "k-1234567"
        operator.writes_toml('[plugins.gemini]\nbase_url = "http://192.0.2.1"')
        operator.config_path = None
        operator.writes_dotenv(f"TGLLM_CONFIG={operator.toml}\n")

        assert refused(operator).startswith(f"{operator.toml}:2: plugins.gemini.base_url is refused")

    def test_the_credentials_of_the_machine(self, operator: Operator) -> None:
        operator.writes_dotenv("TGLLM_PLUGINS__GEMINI__BASE_URL=http://192.0.2.1\nTGLLM_PLUGINS__GEMINI__PROJECT=p\n")

        assert "the credential of plugins.gemini comes from somewhere else (this machine)" in refused(operator)

    def test_a_key_beside_the_address_is_taken(self, operator: Operator, config: Path) -> None:
        operator.writes_dotenv("TGLLM_PLUGINS__GEMINI__BASE_URL=http://192.0.2.1\nGEMINI_API_KEY=mine\n")

        assert operator.loads().plugins.for_plugin("gemini", NAMES) == {
            "api_key": "mine",
            "base_url": "http://192.0.2.1",
        }

    def test_no_key_at_all(self, operator: Operator) -> None:
        operator.writes_dotenv("TGLLM_PLUGINS__LOCAL__BASE_URL=http://192.0.2.1\nTGLLM_PLUGINS__LOCAL__MODEL=m\n")

        assert operator.loads().plugins.for_plugin("local", {})["base_url"] == "http://192.0.2.1"

    def test_settings_that_are_no_addresses(self, operator: Operator, config: Path) -> None:
        operator.writes_dotenv("TGLLM_PLUGINS__GEMINI__TIMEOUT_SECONDS=9\nTGLLM_PLUGINS__GEMINI__GHOST=x\n")

        assert operator.loads().plugins.for_plugin("gemini", NAMES)["timeout_seconds"] == "9"

    def test_a_config_file_beside_it(self, operator: Operator) -> None:
        operator.writes_toml('[plugins.gemini]\napi_key = "k"')
        operator.writes_dotenv("TGLLM_PLUGINS__GEMINI__BASE_URL=http://192.0.2.1\n")

        assert operator.loads().plugins.for_plugin("gemini", NAMES)["base_url"] == "http://192.0.2.1"
