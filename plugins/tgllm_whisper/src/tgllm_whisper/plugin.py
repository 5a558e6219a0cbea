"""Hooks of the Whisper plugin. The listener is imported for the first recording."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tgllm import hookimpl
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.files import Recording, Transcriber, Transcript
from tgllm_whisper.settings import Settings

if TYPE_CHECKING:
    from tgllm_whisper.listener import Listener

__all__ = ["tgllm_doctor", "tgllm_plugin_info", "tgllm_shutdown", "tgllm_transcribers"]

_ENDINGS = ("model.bin", "config.json")


class _Lazy:
    """Listener of one run of the bot, made for its first recording."""

    def __init__(self, ctx: PluginContext) -> None:
        self.ctx = ctx
        self._listener: Listener | None = None

    async def transcribe(self, recording: Recording) -> Transcript:
        if self._listener is None:
            # Imported here, because most commands of the shell need no child process.
            from tgllm_whisper.listener import Listener  # noqa: PLC0415  imported when a transcriber is wanted

            self._listener = Listener(_settings(self.ctx), self.ctx.data_dir, self.ctx.clock, self.ctx.log)
        return await self._listener.transcribe(recording)

    async def aclose(self) -> None:
        if self._listener is not None:
            await self._listener.aclose()


_open: dict[int, _Lazy] = {}
"""By the identity of the context, which the value keeps."""


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    texts = Path(__file__).parent / "texts"
    return PluginInfo(id="whisper", title="Whisper", api="1.0", settings=Settings, texts=texts)


@hookimpl
def tgllm_transcribers(ctx: PluginContext) -> Sequence[Transcriber]:
    """Return the transcriber of audio, and of the sound of videos."""
    lazy = _open[id(ctx)] = _Lazy(ctx)
    return (Transcriber("whisper", frozenset({"audio/*", "video/*"}), lazy.transcribe),)


@hookimpl
async def tgllm_shutdown(ctx: PluginContext) -> None:
    """End the child."""
    if lazy := _open.pop(id(ctx), None):
        await lazy.aclose()


@hookimpl
def tgllm_doctor(ctx: PluginContext) -> Sequence[Check]:
    """Check whether faster-whisper is installed, and where the model is."""
    if find_spec("faster_whisper") is None:
        return (Check("Whisper", "not configured", "pip install faster-whisper to transcribe recordings"),)
    settings = _settings(ctx)
    folder = Path(settings.model).expanduser()
    if folder.is_dir():
        missing = [name for name in _ENDINGS if not (folder / name).is_file()]
        if missing:
            return (Check("Whisper", "failed", f"{missing[0]} is missing in {folder}, which is no folder of a model"),)
        return (Check("Whisper", "ok", f"model in {folder}"),)
    if folder.is_absolute():
        return (Check("Whisper", "failed", f"there is no folder {folder} (TGLLM_PLUGINS__WHISPER__MODEL)"),)
    return (Check("Whisper", "ok", f"model {settings.model}, downloaded for the first recording if it is not there"),)


def _settings(ctx: PluginContext) -> Settings:
    return ctx.settings if isinstance(ctx.settings, Settings) else Settings()
