"""Implementation of ``tgllm models default``."""

import asyncio

from tgllm.api.clock import milliseconds
from tgllm.api.model_ref import ModelRef
from tgllm.app import open_core
from tgllm.cli.options import Options
from tgllm.db.tables import models
from tgllm.services.core import Core
from tgllm.services.models.in_use import set_default_model

__all__ = ["run_default"]


def run_default(options: Options, ref: str | None, *, reset: bool) -> str:
    """Set the default model, reset it to that of the settings, or only read it; return a sentence with the result.

    Raises:
        ModelNotFound: there is no such model; the message suggests the most similar one.
    """
    options.quiet_log()
    return asyncio.run(_run(options, ref, reset=reset))


async def _run(options: Options, ref: str | None, *, reset: bool) -> str:
    async with open_core(options.load(), plugins=options.plugins) as core:
        if ref is not None:
            await _choose(core, core.registry.resolve(ref))
        elif reset:
            await _choose(core, None)
        chosen = await core.database.read(models.default)
        if chosen is None:
            return core.texts("shell.default_config", model=core.config.default_model)
        return core.texts("shell.default_chosen", model=chosen.ref)


async def _choose(core: Core, ref: ModelRef | None) -> None:
    now = milliseconds(core.clock)
    await core.database.write(lambda conn: set_default_model(conn, ref, "shell", now))
