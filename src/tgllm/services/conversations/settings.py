"""Settings of the operator for all turns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tgllm.config.sections.personas import PersonaSetting
from tgllm.i18n import Catalogue
from tgllm.services.chats.settings import SummaryMode
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.models.fallbacks import Fallbacks
from tgllm.services.usage.accounting import Accounting

__all__ = ["TurnSettings"]


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """Settings of the operator for all turns."""

    default_model: str
    """The model of the config, for chats without another one."""
    system_prompt: str | None
    """First part of every system prompt."""
    context_tokens: int
    """Default context size: maximum number of tokens of a request (system prompt, history and question)."""
    idle_seconds: float
    """Idle timeout of a provider's stream."""
    wait_seconds: float = 900.0
    """Timeout of a provider's stream while it brings no text or reasoning, whatever else it sends."""
    close_seconds: float = 2.0
    """Timeout for closing a stream that has ended or was cancelled."""
    most_chars: int = 0
    """Maximum characters of an answer, and of its reasoning; a longer stream is ended. 0: no limit."""
    personas: Sequence[PersonaSetting] = ()
    """Personas of the config."""
    accounting: Accounting = field(default_factory=Accounting)
    """Prices, and the calendar of usage."""
    most_context_tokens: int | None = None
    """Upper limit of a context size that is chosen in a chat; None: as many tokens as the model accepts."""
    summaries: SummaryMode = "off"
    """Default for chats: whether history that no longer fits the context is summarised."""
    file_share: float = 0.6
    """Share of the context that files may take."""
    texts: Catalogue = field(default_factory=Catalogue)
    """Texts that the bot itself adds to a request."""
    storage: FileStorage | None = None
    """Holds files; None: no files are kept."""
    fallbacks: Fallbacks = field(default_factory=Fallbacks)
    """Models that are asked in place of one that does not answer."""
