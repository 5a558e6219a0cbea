"""Lines of settings in their files, in error messages."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from config_support import Operator
from tgllm.api.context import PluginInfo
from tgllm.api.errors import ConfigError
from tgllm.config.sources.lines import dotenv_line, spot, toml_line
from tgllm.plugins.loading.settings import read_settings

TEXT = '''# turns.attempts = 1
language = "en"
system_prompt = """
attempts = 1
[turns]
"""

[turns]
# a comment
attempts = 0
names = [
    1,
    2,
]
[plugins.echo]
delay = 1
[plugins."a.b"]
"x".y = 3
[prices."mistral/mistral-small-2.5"]
input = 1
'''


class TestToml:
    @pytest.mark.parametrize(
        ("key", "line"),
        [
            ("language", 2),
            ("system_prompt", 3),
            ("turns", 8),
            ("turns.attempts", 10),
            ("turns.names", 11),
            ("plugins", 15),
            ("plugins.echo.delay", 16),
            ("plugins.a.b", 17),
            ("plugins.a.b.x.y", 18),
            ("prices.mistral/mistral-small-2.5.input", 20),
            ("turns.absent", 0),
            ("attempts", 0),
        ],
    )
    def test_of_a_key(self, key: str, line: int) -> None:
        assert toml_line(TEXT, key.split(".")) == line
        assert toml_line(TEXT.replace("\n", "\r\n"), key.split(".")) == line

    def test_of_each_key_of_a_long_file(self) -> None:
        text = "".join(f"key{number} = [\n{number}]\n" for number in range(100))

        assert [toml_line(text, [f"key{number}"]) for number in range(100)] == list(range(1, 200, 2))

    def test_of_a_text_that_is_no_toml(self) -> None:
        assert toml_line("a = \nb", ["a"]) == 0


class TestDotenv:
    def test_of_the_assignment_that_counts(self) -> None:
        assert dotenv_line("A=1\n# A=2\nB='two\nlines'\nA=3\n", "A") == 5
        assert dotenv_line("A=1\n# A=2\nB='two\nlines'\nA=3\n", "B") == 3
        assert dotenv_line("A=1\n", "C") == 0

    def test_in_an_error(self, operator: Operator) -> None:
        operator.writes_dotenv("# first\n\nTGLLM_TURNS__ATTEMPTS=0\n")

        assert operator.is_told().startswith(f"{operator.dotenv}:3 (TGLLM_TURNS__ATTEMPTS): must be greater")


def test_a_file_that_is_gone_has_no_lines(tmp_path: Path) -> None:
    assert spot(str(tmp_path / "gone.toml"), "language") == str(tmp_path / "gone.toml")


class Net(BaseModel):
    retries: int = 3


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    delay: float = Field(default=1.0, ge=0)
    net: Net = Net()


INFO = PluginInfo(id="slow", title="Slow", api="1.0", settings=Settings, env={"delay": "SLOW_DELAY"})


class TestPlugin:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("delay = 'long'", "{toml}:4: plugins.slow.delay is wrong: "),
            ("dealy = 1", "{toml}:4: plugins.slow.dealy is no setting of the plugin slow"),
            ("net.retries = 'x'", "{toml}:4: plugins.slow.net.retries is wrong: "),
            ("net = 5", "{toml}:4: plugins.slow.net is wrong: "),
        ],
    )
    def test_in_a_file(self, operator: Operator, text: str, expected: str) -> None:
        operator.writes_toml(f"# mine\n\n[plugins.slow]\n{text}\n")
        with pytest.raises(ConfigError) as caught:
            read_settings(INFO, operator.loads().plugins)

        assert str(caught.value).startswith(expected.format(toml=operator.toml))

    @pytest.mark.parametrize("name", ["SLOW_DELAY", "TGLLM_PLUGINS__SLOW__DELAY"])
    def test_in_the_environment(self, operator: Operator, name: str) -> None:
        operator.environ[name] = "long"
        with pytest.raises(ConfigError, match=rf"environment variable {name}: plugins\.slow\.delay is wrong"):
            read_settings(INFO, operator.loads().plugins)
