"""A token, and somebody who writes settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tgllm.api.errors import ConfigError
from tgllm.config.load import LoadedConfig, load_config

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_"
"""What a bot token looks like."""


@dataclass
class Operator:
    """Somebody who writes settings into the places where they are looked for."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    config_path: Path | None = None

    @property
    def toml(self) -> Path:
        return self.folder / "config.toml"

    @property
    def dotenv(self) -> Path:
        return self.folder / ".env"

    def writes_toml(self, text: str) -> None:
        self.toml.write_text(text, encoding="utf-8")
        self.config_path = self.toml

    def writes_dotenv(self, text: str) -> None:
        self.dotenv.write_text(text, encoding="utf-8")

    def loads(self, flags: Mapping[str, object] | None = None) -> LoadedConfig:
        return load_config(flags, environ=self.environ, config_path=self.config_path, cwd=self.folder)

    def is_told(self, flags: Mapping[str, object] | None = None) -> str:
        with pytest.raises(ConfigError) as caught:
            self.loads(flags)
        return str(caught.value)
