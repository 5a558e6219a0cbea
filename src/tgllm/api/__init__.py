"""Public plugin API.

It imports only the standard library at run time, and loads each module on first access. Within one major version of
``API_VERSION``, names, arguments and events may be added, but not removed or changed; consumers of a stream ignore
unknown events.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tgllm.api.buttons import Button, ButtonRows, Press, Pressers, PressResult
    from tgllm.api.chats import ChatRef, Chats, SentMessage
    from tgllm.api.clock import Clock, SystemClock
    from tgllm.api.commands import (
        Access,
        Answers,
        Attachment,
        ChatCommand,
        CommandCall,
        CommandHandler,
        CommandInfo,
        RepliedMessage,
        Reply,
    )
    from tgllm.api.context import Check, KeyValueStore, Log, PluginContext, PluginInfo, Texts
    from tgllm.api.errors import (
        AuthFailed,
        BadResponse,
        BudgetExceeded,
        ChatUnavailable,
        ConfigError,
        ContextTooLong,
        DatabaseError,
        FileUnreadable,
        ModelNotFound,
        NotConfigured,
        PluginError,
        ProviderError,
        QuotaExceeded,
        RateLimited,
        Refused,
        Stopped,
        TgllmError,
        ToolFailed,
        Unavailable,
        Unsupported,
    )
    from tgllm.api.events import (
        FileDelta,
        Finished,
        ReasoningDelta,
        StreamEvent,
        TextDelta,
        ToolCall,
        ToolCallDelta,
        Waiting,
    )
    from tgllm.api.files import (
        Extracted,
        ExtractionLimits,
        FileHandler,
        OutgoingFile,
        PagePicture,
        Recording,
        Transcriber,
        Transcript,
    )
    from tgllm.api.jobs import DueJob, Jobs, JobSpec, PlannedJob
    from tgllm.api.people import ChatInfo, ChatKind, People, Role, UserInfo
    from tgllm.api.provider import Provider, ProviderPreset, ProviderSpec
    from tgllm.api.shell import Shell
    from tgllm.api.tools import Ask, Danger, Progress, Source, ToolHandler, ToolOutput, Tools, ToolSpec, ToolUse
    from tgllm.api.turn import Decision, TurnInfo, TurnResult
    from tgllm.api.types import (
        ChatMessage,
        ChatRequest,
        FilePart,
        FinishReason,
        Json,
        JsonObject,
        ModelInfo,
        ModelRef,
        Part,
        Price,
        ReasoningEffort,
        TextPart,
        ToolCallPart,
        ToolChoice,
        ToolDefinition,
        ToolResultPart,
        Usage,
    )
    from tgllm.api.version import API_VERSION, ApiVersion

__all__ = [
    "API_VERSION",
    "Access",
    "Answers",
    "ApiVersion",
    "Ask",
    "Attachment",
    "AuthFailed",
    "BadResponse",
    "BudgetExceeded",
    "Button",
    "ButtonRows",
    "ChatCommand",
    "ChatInfo",
    "ChatKind",
    "ChatMessage",
    "ChatRef",
    "ChatRequest",
    "ChatUnavailable",
    "Chats",
    "Check",
    "Clock",
    "CommandCall",
    "CommandHandler",
    "CommandInfo",
    "ConfigError",
    "ContextTooLong",
    "Danger",
    "DatabaseError",
    "Decision",
    "DueJob",
    "Extracted",
    "ExtractionLimits",
    "FileDelta",
    "FileHandler",
    "FilePart",
    "FileUnreadable",
    "FinishReason",
    "Finished",
    "JobSpec",
    "Jobs",
    "Json",
    "JsonObject",
    "KeyValueStore",
    "Log",
    "ModelInfo",
    "ModelNotFound",
    "ModelRef",
    "NotConfigured",
    "OutgoingFile",
    "PagePicture",
    "Part",
    "People",
    "PlannedJob",
    "PluginContext",
    "PluginError",
    "PluginInfo",
    "Press",
    "PressResult",
    "Pressers",
    "Price",
    "Progress",
    "Provider",
    "ProviderError",
    "ProviderPreset",
    "ProviderSpec",
    "QuotaExceeded",
    "RateLimited",
    "ReasoningDelta",
    "ReasoningEffort",
    "Recording",
    "Refused",
    "RepliedMessage",
    "Reply",
    "Role",
    "SentMessage",
    "Shell",
    "Source",
    "Stopped",
    "StreamEvent",
    "SystemClock",
    "TextDelta",
    "TextPart",
    "Texts",
    "TgllmError",
    "ToolCall",
    "ToolCallDelta",
    "ToolCallPart",
    "ToolChoice",
    "ToolDefinition",
    "ToolFailed",
    "ToolHandler",
    "ToolOutput",
    "ToolResultPart",
    "ToolSpec",
    "ToolUse",
    "Tools",
    "Transcriber",
    "Transcript",
    "TurnInfo",
    "TurnResult",
    "Unavailable",
    "Unsupported",
    "Usage",
    "UserInfo",
    "Waiting",
]

_PARTS = (
    "errors",
    "types",
    "events",
    "version",
    "people",
    "turn",
    "files",
    "jobs",
    "tools",
    "provider",
    "buttons",
    "chats",
    "commands",
    "context",
    "clock",
    "shell",
)
"""Modules that are searched for a name, in this order; the last ones import most."""


def __getattr__(name: str) -> object:
    """Load a name on first access: many shell commands need few of these modules, and no asyncio."""
    for part in _PARTS if name in __all__ else ():
        module = import_module(f"{__name__}.{part}")
        if name in module.__all__:
            found = globals()[name] = getattr(module, name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
