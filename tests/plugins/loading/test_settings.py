"""Settings of plugins are checked before any other hook runs; an error names the key and never the value."""

from collections.abc import Mapping
from typing import Any

import pytest

from plugin_support import FindRecord, LoadHost
from tgllm.api.errors import ConfigError
from tgllm.config.load import load_config
from tgllm.observe.redaction import redact
from tgllm.plugins import PluginHost

SOURCE = """
    from pydantic import BaseModel, SecretBytes, SecretStr, field_validator
    class Inner(BaseModel):
        depth: int = 1
    class Settings(BaseModel):
        api_key: SecretStr | None = None
        base_url: str = "https://api.example.org"
        timeout: float = 60.0
        inner: Inner = Inner()
        spare: dict[str, list[SecretStr]] = {}
        seed: SecretBytes | None = None
        @field_validator("api_key")
        @classmethod
        def check(cls, value):
            if value and "bad" in value.get_secret_value():
                raise ValueError(f"{value.get_secret_value()} has the wrong form")
            return value
    @hookimpl
    def tgllm_plugin_info():
        return PluginInfo(id="parrot", title="P", api="1.0", settings=Settings, env={"api_key": "PARROT_KEY"})
    @hookimpl
    def tgllm_doctor(ctx):
        key = ctx.settings.api_key
        return [Check(ctx.settings.base_url, "ok" if key else "not configured", str(ctx.settings.timeout))]
"""


class Source:
    """Settings as the config would give them."""

    def __init__(self, **values: object) -> None:
        self.values = values
        self.asked: dict[str, Mapping[str, str]] = {}

    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str]) -> Mapping[str, object]:
        self.asked[plugin_id] = env_names
        return self.values if plugin_id == "parrot" else {}


async def errors_of(host: PluginHost) -> list[str]:
    assert all(isinstance(error, ConfigError) for error in host.config_errors)
    return [str(error) for error in host.config_errors]


async def test_values_reach_the_plugin_and_are_of_the_right_type(site: Any, load_host: LoadHost) -> None:
    site.write("parrot", SOURCE)
    source = Source(api_key="k-1234567", timeout="2.5", inner={"depth": "2"})

    host = await load_host(settings=source)

    assert source.asked["parrot"] == {"api_key": "PARROT_KEY"}
    ((plugin_id, check),) = await host.doctor()
    assert (plugin_id, check.state, check.detail) == ("parrot", "ok", "2.5")


async def test_a_missing_key_is_no_error(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.write("parrot", SOURCE)

    host = await load_host()

    assert record(host, "parrot").state == "active"
    assert host.config_errors == ()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"api_kee": "x"},
            "plugins.parrot.api_kee is no setting of the plugin parrot (did you mean api_key?)",
        ),
        (
            {"zzz": "x"},
            (
                "plugins.parrot.zzz is no setting of the plugin parrot: "
                "it takes api_key, base_url, inner, seed, spare, timeout"
            ),
        ),
        (
            {"timeout": "soon"},
            "plugins.parrot.timeout is wrong: Input should be a valid number, unable to parse string as a number",
        ),
        (
            {"inner": {"depth": {}}},
            "plugins.parrot.inner.depth is wrong: Input should be a valid integer",
        ),
        (
            {"spare": {"a": "one,two"}},
            (
                "plugins.parrot.spare.a is wrong: Input should be a valid list; "
                "it can't be set by a variable, write it in the config file"
            ),
        ),
        ({"api_key": "bad-key-0815"}, "plugins.parrot.api_key is wrong: Value error, … has the wrong form"),
    ],
)
async def test_a_wrong_setting_is_told_without_its_value(
    site: Any, load_host: LoadHost, record: FindRecord, values: dict[str, object], sentence: str
) -> None:
    site.write("parrot", SOURCE)

    host = await load_host(settings=Source(**values))

    assert await errors_of(host) == [sentence]
    found = record(host, "parrot")
    assert (found.state, found.reason, found.provides) == ("misconfigured", sentence, ())
    assert record(host, "echo").state == "active"


async def test_a_setting_that_is_needed_and_not_there_is_named(site: Any, load_host: LoadHost) -> None:
    site.write("parrot", SOURCE.replace('base_url: str = "https://api.example.org"', "base_url: str"))

    (error,) = await errors_of(await load_host())
    assert error == (
        "plugins.parrot.base_url is missing: "
        "set it in the config file, or TGLLM_PLUGINS__PARROT__BASE_URL in the environment"
    )


ALIASES = """
    from pydantic import AliasChoices, AliasPath, BaseModel, Field
    class Settings(BaseModel):
        region: str = Field(default="", alias="location")
        key: str = Field(default="", validation_alias="token")
        mode: str = Field(default="", validation_alias=AliasChoices("manner", AliasPath("ways", 0)))
    @hookimpl
    def tgllm_plugin_info():
        return PluginInfo(id="parrot", title="P", api="1.0", settings=Settings, env={"key": "PARROT_KEY"})
    @hookimpl
    def tgllm_doctor(ctx):
        return [Check(ctx.settings.region, "ok", ctx.settings.key + ctx.settings.mode)]
"""


@pytest.mark.parametrize("names", [("location", "token"), ("region", "key")])
async def test_fields_may_have_aliases(site: Any, load_host: LoadHost, names: tuple[str, str]) -> None:
    site.write("parrot", ALIASES)

    host = await load_host(settings=Source(**dict(zip(names, ("eu", "t"), strict=True)), ways=["slow"]))

    assert await errors_of(host) == []
    ((_, check),) = await host.doctor()
    assert (check.name, check.detail) == ("eu", "tslow")


async def test_what_a_validator_raises_is_told_without_the_values(
    site: Any, load_host: LoadHost, record: FindRecord
) -> None:
    site.write("parrot", SOURCE.replace("raise ValueError(", "raise LookupError("))

    host = await load_host(settings=Source(api_key="bad-key-0815"))

    found = record(host, "parrot")
    assert found.state == "quarantined"
    assert found.reason == "its settings model raised LookupError: … has the wrong form"


async def test_a_model_may_take_any_key(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    source = SOURCE.replace("class Settings(BaseModel):", 'class Settings(BaseModel, extra="allow"):')
    site.write("parrot", source)

    host = await load_host(settings=Source(feathers=["quill", "down"]))

    assert record(host, "parrot").state == "active"


async def test_a_plugin_without_settings_takes_none(site: Any, load_host: LoadHost) -> None:
    site.write("parrot", "@hookimpl\ndef tgllm_plugin_info(): return PluginInfo('parrot', 'P', '1.0')")

    host = await load_host(settings=Source(colour="grey"))

    assert await errors_of(host) == ["plugins.parrot.colour is no setting of the plugin parrot: it takes none"]


async def test_a_secret_of_the_settings_is_kept_out_of_the_log(site: Any, load_host: LoadHost) -> None:
    site.write("parrot", SOURCE)

    await load_host(
        settings=Source(api_key="quite-secret-4711", spare={"a": ["other-secret-0815"]}, seed="third-secret-42")
    )

    assert "4711" not in redact("the service said: quite-secret-4711 is not known")
    assert "0815" not in redact("the service said: other-secret-0815 is not known")
    assert "42" not in redact("the service said: third-secret-42 is not known")


async def test_the_settings_of_the_config_fit(
    site: Any, load_host: LoadHost, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write("parrot", SOURCE)
    file = tmp_path / "config.toml"
    file.write_text("[plugins.parrot]\ntimeout = 1.5\nbase_url = 'http://file'\n", encoding="utf-8")
    environ = {"TGLLM_PLUGINS__PARROT__BASE_URL": "http://environment", "PARROT_KEY": "k-1234567"}

    loaded = load_config(environ=environ, config_path=file, cwd=tmp_path)
    host = await load_host(settings=loaded.plugins)

    ((_, check),) = await host.doctor()
    assert (check.name, check.state, check.detail) == ("http://environment", "ok", "1.5")


@pytest.mark.parametrize(
    ("name", "state"), [("spare.x", "active"), ("inner.depth", "active"), ("sparse.x", "quarantined")]
)
async def test_a_variable_may_be_one_of_a_value_in_a_table(
    site: Any, load_host: LoadHost, record: FindRecord, name: str, state: str
) -> None:
    site.write("parrot", SOURCE.replace('{"api_key": "PARROT_KEY"}', f'{{"{name}": "PARROT_KEY"}}'))

    found = record(await load_host(settings=Source()), "parrot")

    assert found.state == state
    assert state == "active" or "its env names sparse.x, which is no field" in found.reason


async def test_a_field_may_be_called_keys(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    source = """
        from pydantic import BaseModel, SecretStr
        class Settings(BaseModel):
            keys: dict[str, SecretStr] = {}
        @hookimpl
        def tgllm_plugin_info():
            return PluginInfo(id="parrot", title="P", api="1.0", settings=Settings)
    """
    site.write("parrot", source)
    host = await load_host(settings=Source(keys={"service": "k-7654321"}))
    assert record(host, "parrot").state == "active"
    assert "k-7654321" not in redact("the key k-7654321")
