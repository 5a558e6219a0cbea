"""tgllm: a framework for private LLM bots on Telegram.

A plugin imports two things from here: ``hookimpl``, which marks its hook implementations,
and ``__version__``. The contract itself is in ``tgllm.api`` and ``tgllm.hookspecs``.
"""

import pluggy

__version__ = "0.1.0"

hookimpl = pluggy.HookimplMarker("tgllm")
"""Marks a function of a plugin as the implementation of the hook of the same name."""

__all__ = ["__version__", "hookimpl"]
