"""Settings are checked, and the key never shows."""

import pytest
from pydantic import ValidationError

from tgllm_gemini.settings import Settings


def test_a_missing_key_is_no_error() -> None:
    settings = Settings()

    assert settings.api_key is None
    assert settings.project is None
    assert settings.base_url is None


def test_a_key_is_not_in_the_text_of_the_settings() -> None:
    settings = Settings.model_validate({"api_key": "s3cret"})

    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("base_url", "api.example.org"),
        ("timeout_seconds", 0),
        ("timeout_seconds", "inf"),
        ("api_kee", "x"),
        ("project", ""),
        ("api_version", "v2"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        Settings.model_validate({key: value})
