"""Which settings of a plugin are asked for."""

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from tgllm.api import PluginInfo
from tgllm.services.setup.fields import address_field, key_field, missing_fields


class Usual(BaseModel):
    proxy: SecretStr | None = None
    api_key: SecretStr | None = None
    base_url: str = "https://api.example.com"
    timeout_seconds: float = 1.0


class Local(BaseModel):
    models: Path | None = None
    context_tokens: int = 4096
    max_token: int = 5


class Plain(BaseModel):
    endpoint: str
    access_token: str
    region: str = "eu"


class Odd(BaseModel):
    credential: SecretStr
    proxy: SecretStr | None = None


def info(settings: type[BaseModel] | None, **env: str) -> PluginInfo:
    return PluginInfo(id="p", title="P", api="1.0", settings=settings, env=env)


@pytest.mark.parametrize(
    ("settings", "env", "key", "address", "missing"),
    [
        (Usual, {"api_key": "P_KEY"}, "api_key", "base_url", []),
        (Usual, {}, "api_key", "base_url", []),
        (Local, {}, None, None, []),
        (Plain, {}, "access_token", "endpoint", ["endpoint", "access_token"]),
        (Odd, {"credential": "P_CREDENTIAL"}, "credential", None, ["credential"]),
        (None, {}, None, None, []),
    ],
)
def test_the_key_and_the_address_are_found(
    settings: type[BaseModel] | None, env: dict[str, str], key: str | None, address: str | None, missing: list[str]
) -> None:
    found = info(settings, **env)
    names = [field.name if field is not None else None for field in (key_field(found), address_field(found))]

    assert names == [key, address]
    assert [field.name for field in missing_fields(found, {})] == missing
    assert missing_fields(found, dict.fromkeys(missing, "x")) == []


def test_its_variable_is_known() -> None:
    found = key_field(info(Usual, api_key="P_KEY"))

    assert found is not None
    assert (found.variable, found.is_secret) == ("P_KEY", True)
