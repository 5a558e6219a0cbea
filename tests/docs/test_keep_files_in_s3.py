"""The settings of the how-to are right ones."""

import tomllib

from docs_support import blocks
from tgllm.config.model import Config


def test_the_settings_are_taken() -> None:
    (shown,) = blocks("howto/keep-files-in-s3.md", "toml")
    assert Config.model_validate(tomllib.loads(shown)).s3.bucket == "my-bot-files"
