"""Fails when it is asked who may do what."""

from tgllm import hookimpl
from tgllm.api import Decision, PluginInfo, UserInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="bad_authorize", title="Bad authorize", api="1.0")


@hookimpl
def tgllm_authorize(user: UserInfo) -> Decision:
    raise LookupError(f"no list for {user.name}")
