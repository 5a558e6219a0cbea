"""Services of the settings: which are offered, with which names, and what is said about missing and wrong settings."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from tgllm.api import NotConfigured
from tgllm.config.load import load_config
from tgllm.plugins.loading.settings import read_settings
from tgllm.testing.clock import ManualClock
from tgllm_openai import plugin
from tgllm_openai.services import offered, setup_of
from tgllm_openai.settings import Settings

TOKEN = {"TGLLM_BOT_TOKEN": "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"}


def context(**settings: Any) -> Any:
    return SimpleNamespace(settings=Settings.model_validate(settings), clock=ManualClock())


def ids(**settings: Any) -> list[str]:
    return [spec.id for spec in plugin.tgllm_providers(context(**settings))]


def settings_of(path: Path, environ: Mapping[str, str], text: str = "") -> Settings:
    """The settings as the bot reads them."""
    path.write_text(text, encoding="utf-8")
    loaded = load_config(environ={**TOKEN, **environ}, config_path=path, cwd=path.parent)
    found = read_settings(plugin.tgllm_plugin_info(), loaded.plugins)
    assert isinstance(found, Settings)
    return found


class TestOffered:
    def test_without_settings_openai_itself_is_offered(self) -> None:
        assert ids() == ["openai"]

    def test_services_are_providers_of_their_own_side_by_side(self) -> None:
        services = {"groq": {}, "fast": {"preset": "groq"}, "mine": {"base_url": "http://localhost:1/v1"}}

        assert ids(use=["openrouter", "groq"], services=services) == ["openrouter", "groq", "fast", "mine"]

    def test_openai_is_offered_beside_them_if_it_has_a_key(self) -> None:
        assert ids(api_key="k", use=["groq"]) == ["openai", "groq"]

    def test_titles_are_those_of_the_presets_or_of_the_operator(self) -> None:
        services = {"groq": {}, "fast": {"preset": "groq", "title": "Fast"}, "mine": {"base_url": "http://h/v1"}}
        specs = plugin.tgllm_providers(context(services=services))

        assert [spec.title for spec in specs] == ["Groq", "Fast", "mine"]

    def test_use_may_be_a_text_as_in_a_variable(self) -> None:
        assert ids(use="groq, LM-Studio ollama") == ["groq", "lm_studio", "ollama"]


class TestKeys:
    def test_the_usual_variable_of_a_service_counts(self, tmp_path: Path) -> None:
        environ = {"GROQ_API_KEY": "gsk_1", "OPENAI_API_KEY": "sk-1"}
        settings = settings_of(tmp_path / "c.toml", environ, '[plugins.openai]\nuse = ["groq"]\n')

        assert {name: setup.key for name, setup in offered(settings).items()} == {"openai": "sk-1", "groq": "gsk_1"}

    def test_a_variable_alone_offers_nothing(self, tmp_path: Path) -> None:
        settings = settings_of(tmp_path / "c.toml", {"GROQ_API_KEY": "gsk_1", "HF_TOKEN": "hf_1"})

        assert [*offered(settings)] == ["openai"]

    def test_a_service_can_be_set_by_variables_alone(self, tmp_path: Path) -> None:
        environ = {"TGLLM_PLUGINS__OPENAI__SERVICES__GROQ__API_KEY": "gsk_2", "GROQ_API_KEY": "gsk_1"}
        settings = settings_of(tmp_path / "c.toml", environ)

        assert {name: setup.key for name, setup in offered(settings).items()} == {"groq": "gsk_2"}

    @pytest.mark.parametrize("by", ["variable", "own variable", "file"])
    def test_a_key_may_be_in_a_file(self, tmp_path: Path, by: str) -> None:
        secret = tmp_path / "secret"
        secret.write_text("gsk_3\n", encoding="utf-8")
        secret.chmod(0o600)
        environ = {
            "variable": {"TGLLM_PLUGINS__OPENAI__SERVICES__GROQ__API_KEY_FILE": str(secret)},
            "own variable": {"GROQ_API_KEY_FILE": str(secret)},
            "file": {},
        }[by]
        line = f'api_key_file = "{secret}"\n' if by == "file" else ""
        settings = settings_of(tmp_path / "c.toml", environ, f"[plugins.openai.services.groq]\n{line}")

        assert setup_of(settings, "groq").key == "gsk_3"

    def test_a_missing_key_is_not_configured_and_names_its_variables(self) -> None:
        (spec,) = plugin.tgllm_providers(context(use=["groq"]))

        with pytest.raises(
            NotConfigured, match=r"set GROQ_API_KEY, or plugins\.openai\.services\.groq\.api_key"
        ) as caught:
            spec.create(context(use=["groq"]))
        assert caught.value.params["variable"] == "GROQ_API_KEY"

    def test_azure_needs_an_address_of_the_operators_own(self) -> None:
        (spec,) = plugin.tgllm_providers(context(use=["azure"]))

        with pytest.raises(NotConfigured, match=r"set plugins\.openai\.services\.azure\.base_url .*openai/v1"):
            spec.create(context(use=["azure"]))


class TestAddresses:
    @pytest.mark.parametrize(
        ("service", "address"),
        [
            ({"preset": "groq"}, "https://api.groq.com/openai/v1"),
            ({"preset": "ollama", "base_url": "http://gpu-box:11434"}, "http://gpu-box:11434/v1"),
            ({"preset": "ollama", "base_url": "http://gpu-box:11434/"}, "http://gpu-box:11434/v1"),
            ({"preset": "groq", "base_url": "http://proxy"}, "http://proxy/openai/v1"),
            ({"preset": "groq", "base_url": "http://proxy/groq"}, "http://proxy/groq"),
            ({"preset": "azure", "base_url": "https://n.openai.azure.com"}, "https://n.openai.azure.com/openai/v1"),
            ({"preset": "deepseek", "base_url": "http://proxy"}, "http://proxy"),
            ({"base_url": "http://localhost:8080"}, "http://localhost:8080/v1"),
            ({"base_url": "http://localhost:8080/api/v3/"}, "http://localhost:8080/api/v3"),
        ],
    )
    def test_one_without_a_path_gets_the_services_own(self, service: Any, address: str) -> None:
        settings = Settings.model_validate({"services": {"mine": service}})

        assert setup_of(settings, "mine").base_url == address


class TestWrongSettings:
    @pytest.mark.parametrize(
        ("services", "words"),
        [
            ({"my-groq": {}}, "small letters, digits and single _"),
            ({"Groq": {}}, "small letters"),
            ({"openai": {}}, r"\[plugins.openai\] itself"),
            ({"mine": {}}, "services.mine has neither preset nor base_url"),
            ({"mine": {"preset": "grok"}}, "did you mean groq"),
            ({"mine": {"preset": "github-models"}}, "closed on 2026-07-30"),
            ({"mine": {"base_url": "localhost:8080"}}, "services.mine.base_url"),
            ({"groq": {"api_kee": "x"}}, "services.groq.api_kee"),
            ({"groq": {"prices": {"m": {"input": 1}}}}, "services.groq.prices.m.output"),
        ],
    )
    def test_they_are_explained(self, services: Any, words: str) -> None:
        with pytest.raises(ValidationError, match=words):
            Settings.model_validate({"services": services})

    def test_a_service_with_the_name_of_another_provider_is_refused_by_the_host(self) -> None:
        """The names of services are those of providers; the host compares them (tests/plugins/loading)."""
        assert ids(use=["mistral"]) == ["mistral"]


class TestDoctor:
    def test_it_tells_of_each_service(self) -> None:
        settings = context(
            use=["groq", "ollama", "ovhcloud"],
            services={"router": {"preset": "openrouter", "api_key": "s3cret", "proxy": "http://user:hush@p:3128"}},
        )

        found = {check.name: (check.state, check.detail) for check in plugin.tgllm_doctor(settings)}

        assert found["Groq: key"][0] == "not configured"
        assert "GROQ_API_KEY" in found["Groq: key"][1]
        assert found["OpenRouter: key"] == ("ok", "")
        assert found["OVHcloud AI Endpoints: key"][0] == "ok"
        assert found["OpenRouter: proxy"] == ("ok", "http://p:3128 (the setting proxy)")
        assert not any(name.startswith("Ollama: key") for name in found)
        assert not any(secret in repr(found) for secret in ("s3cret", "hush"))
