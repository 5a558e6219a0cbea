"""Transcripts of the voice messages of a question."""

from tgllm.db.engine.unit import Connection

__all__ = ["transcripts_of"]

_TRANSCRIPTS = """
    SELECT file_texts.text FROM files JOIN file_texts ON file_texts.sha256 = files.sha256
    WHERE files.message_id = ? AND files.kind IN ('voice', 'video_note') AND file_texts.reader LIKE 'transcriber:%'
    ORDER BY files.position, files.id, file_texts.created_at DESC
"""


def transcripts_of(conn: Connection, message_id: int) -> list[str]:
    """Return what was heard in the voice and video messages of a question, those with speech only."""
    texts = (str(row[0]).strip() for row in conn.execute(_TRANSCRIPTS, (message_id,)))
    return [text for text in texts if text]
