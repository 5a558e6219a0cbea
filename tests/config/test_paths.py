"""Default paths, also where the home folder is not known."""

import pwd

import pytest

from tgllm.api.errors import ConfigError
from tgllm.config.load import load_config
from tgllm.config.paths import default_data_dir


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without an entry in the system's list, as in many containers, and without HOME."""

    def nobody(_uid: int) -> None:
        raise KeyError

    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_the_data_folder_has_to_be_named(tmp_path: object) -> None:
    with pytest.raises(ConfigError, match="TGLLM_DATA_DIR"):
        default_data_dir()
    with pytest.raises(ConfigError, match="TGLLM_DATA_DIR"):
        load_config(environ={})

    assert str(load_config(environ={"TGLLM_DATA_DIR": str(tmp_path)}).config.data_dir) == str(tmp_path)
