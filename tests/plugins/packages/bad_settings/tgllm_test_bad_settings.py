"""Has settings that can't be read."""

from pydantic import BaseModel, ConfigDict, field_validator

from tgllm import hookimpl
from tgllm.api import PluginInfo


class Settings(BaseModel):
    level: int = 1

    @field_validator("level", mode="before")
    @classmethod
    def explode(cls, value: object) -> object:
        raise RuntimeError("no level will do")

    model_config = ConfigDict(validate_default=True)


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="bad_settings", title="Bad settings", api="1.0", settings=Settings)
