"""Does not say who it is."""

from collections.abc import Sequence

from tgllm import hookimpl
from tgllm.api import ChatCommand


@hookimpl
def tgllm_commands() -> Sequence[ChatCommand]:
    return []
