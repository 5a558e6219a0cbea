"""The raw settings of plugins, merged from all sources."""

from pathlib import Path

import pytest

from config_support import Operator
from tgllm.config.sources.plugins import PluginSettings

KNOWN = {"api_key": "GEMINI_API_KEY"}


def test_nothing_set_is_nothing(operator: Operator) -> None:
    plugins = operator.loads().plugins

    assert plugins.for_plugin("gemini", KNOWN) == {}
    assert plugins.ids == ()


def test_a_section_of_the_file_is_handed_on_as_it_stands(operator: Operator) -> None:
    operator.writes_toml(
        "[plugins.gemini]\napi_key = 'f'\ntimeout = 3\nnested = { a = [1] }\n[plugins.mistral]\nx = 1\n"
    )
    plugins = operator.loads().plugins

    assert plugins.for_plugin("gemini", {}) == {"api_key": "f", "timeout": 3, "nested": {"a": [1]}}
    assert plugins.ids == ("gemini", "mistral")


def test_variables_name_plugin_and_field(operator: Operator) -> None:
    operator.environ |= {"TGLLM_PLUGINS__GEMINI__API_KEY": "e", "TGLLM_PLUGINS__MY_PLUGIN__A__B": "1"}
    plugins = operator.loads().plugins

    assert plugins.for_plugin("gemini", {}) == {"api_key": "e"}
    assert plugins.for_plugin("my_plugin", {}) == {"a": {"b": "1"}}


STEPS = [
    ("toml", "[plugins.gemini]\napi_key = 'file'\n"),
    ("dotenv", "GEMINI_API_KEY=dotenv-known\n"),
    ("dotenv", "GEMINI_API_KEY=dotenv-known\nTGLLM_PLUGINS__GEMINI__API_KEY=dotenv\n"),
    ("environ", "GEMINI_API_KEY=environ-known"),
    ("environ", "TGLLM_PLUGINS__GEMINI__API_KEY=environ"),
]


@pytest.mark.parametrize(
    ("steps", "winner"),
    [(1, "file"), (2, "dotenv-known"), (3, "dotenv"), (4, "environ-known"), (5, "environ")],
)
def test_the_strongest_source_wins(operator: Operator, steps: int, winner: str) -> None:
    for place, text in STEPS[:steps]:
        match place:
            case "toml":
                operator.writes_toml(text)
            case "dotenv":
                operator.writes_dotenv(text)
            case _:
                operator.environ |= dict([text.split("=")])

    assert operator.loads().plugins.for_plugin("gemini", KNOWN) == {"api_key": winner}


def test_an_empty_variable_counts_as_unset(operator: Operator) -> None:
    operator.writes_toml("[plugins.gemini]\napi_key = 'file'\n")
    operator.environ |= {"GEMINI_API_KEY": "", "TGLLM_PLUGINS__GEMINI__API_KEY": " "}

    assert operator.loads().plugins.for_plugin("gemini", KNOWN) == {"api_key": "file"}


def test_nested_tables_are_merged_and_the_sources_stay_as_they_were(operator: Operator) -> None:
    operator.writes_toml("[plugins.x.limits]\na = 1\nb = 2\n")
    operator.environ["TGLLM_PLUGINS__X__LIMITS__B"] = "3"
    plugins = operator.loads().plugins

    for _ in range(2):
        assert plugins.for_plugin("x", {}) == {"limits": {"a": 1, "b": "3"}}


def test_a_setting_and_a_part_of_it_cant_both_be_set(operator: Operator) -> None:
    operator.environ |= {"TGLLM_PLUGINS__X__A": "1", "TGLLM_PLUGINS__X__A__B": "2"}
    assert "TGLLM_PLUGINS__X__A__B and a shorter name" in operator.is_told()

    operator.environ = dict(reversed(operator.environ.items()))
    assert "TGLLM_PLUGINS__X__A and a longer name" in operator.is_told()


def test_what_is_set_is_never_shown(operator: Operator) -> None:
    operator.writes_toml("[plugins.gemini]\napi_key = 'sesame'\n")
    operator.environ["TGLLM_PLUGINS__GEMINI__OTHER"] = "hush"
    loaded = operator.loads()

    assert "gemini" in repr(loaded)
    assert "sesame" not in repr(loaded)
    assert "hush" not in repr(loaded)
    assert repr(PluginSettings()) == "PluginSettings()"


def test_each_setting_has_its_source(operator: Operator) -> None:
    operator.writes_toml("[plugins.x]\na = 1\nb = 2\n")
    operator.writes_dotenv("TGLLM_PLUGINS__X__C=3")
    operator.environ["TGLLM_PLUGINS__X__B"] = "4"
    sources = operator.loads().plugins.sources("x")

    assert {field: str(source) for field, source in sources.items()} == {
        "a": f"{operator.toml} (plugins.x.a)",
        "b": "environment variable TGLLM_PLUGINS__X__B",
        "c": f"{operator.dotenv} (TGLLM_PLUGINS__X__C)",
    }


def test_a_common_variable_may_set_a_field_of_a_table(operator: Operator) -> None:
    operator.environ |= {"GROQ_API_KEY": "k", "TGLLM_PLUGINS__OPENAI__KEYS__OTHER": "o"}

    found = operator.loads().plugins.for_plugin("openai", {"keys.groq": "GROQ_API_KEY"})

    assert found == {"keys": {"groq": "k", "other": "o"}}


def test_a_secret_of_one_table_among_several_may_be_in_a_file(operator: Operator, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("k-1234567\n", encoding="utf-8")
    secret.chmod(0o600)
    operator.writes_toml(
        f"[plugins.openai.services.a]\napi_key_file = '{secret}'\n"
        f"[plugins.openai.services.b]\nother_file = '{secret}'\n[plugins.openai]\napi_key_file = 'not a field'\n"
    )

    found = operator.loads().plugins.for_fields("openai", {}, ["services", "services.*.api_key"])

    assert found == {
        "services": {"a": {"api_key": "k-1234567"}, "b": {"other_file": str(secret)}},
        "api_key_file": "not a field",
    }
