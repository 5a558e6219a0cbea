"""Settings of files."""

from pydantic import Field

from tgllm.config.sections.base import Section

__all__ = ["FilesSection"]


class FilesSection(Section):
    """How files are received, read and used."""

    max_mb: float = Field(
        default=50.0,
        gt=0,
        description="Largest file that is received, in MiB. Telegram's own server delivers up to 20; a local Bot API "
        "server up to 2000.",
    )
    keep_free_mb: float = Field(
        default=200.0, ge=0, description="Free disk space that files leave in the data folder, in MiB."
    )
    read_timeout: float = Field(default=60.0, gt=0, description="Seconds to read the text of a file.")
    read_memory_mb: int = Field(
        default=1024, ge=256, description="Memory of the process that reads a file, in MiB of address space."
    )
    max_chars: int = Field(
        default=4_000_000, ge=1000, description="Characters of text that are kept of a file; the rest is cut."
    )
    context_share: float = Field(
        default=0.6,
        gt=0,
        le=0.9,
        description="Share of the context that the texts of files may take; a longer text is shown in parts, which are "
        "chosen by the question.",
    )
    transcribe_timeout: float = Field(default=600.0, gt=0, description="Seconds to transcribe a recording.")
