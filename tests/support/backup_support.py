"""A bot's data folder, with its backups."""

import hashlib
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from database_support import NOW
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.schema import prepare
from tgllm.db.tables import files, kv
from tgllm.db.tables.files import NewFile
from tgllm.services.backups.making import Made, Order, make_backup
from tgllm.services.backups.restoring import Restore, Restored, restore


@dataclass
class Data:
    """A data folder."""

    folder: Path
    blobs: dict[str, bytes] = field(default_factory=dict)
    """Contents of the files that were added, by path."""

    @property
    def database(self) -> Path:
        return self.folder / "tgllm.db"

    def begin(self, bot_id: int = 42) -> "Data":
        prepare(self.database, NOW)
        with closing(connect(self.database)) as conn:
            kv.set_value(conn, "bot", "account", {"id": bot_id, "username": f"bot_{bot_id}"}, NOW)
        return self

    def add_file(self, content: bytes) -> Path:
        """Receive a file, in the order of the program: its content is there before its row."""
        path = f"files/{uuid.uuid4().hex}"
        (self.folder / "files").mkdir(exist_ok=True)
        (self.folder / path).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        new = NewFile(
            path=path, mime="text/plain", size=len(content), sha256=sha256, original_name="../x", user_id=None
        )
        with closing(connect(self.database)) as conn:
            files.add(conn, new, NOW)
        self.blobs[path] = content
        return self.folder / path

    def add_plugin_file(self, name: str, content: bytes) -> Path:
        """Write a file as a plugin does, in its folder: ``weather/cities.json``."""
        path = self.folder / "plugins" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def plugin_files(self) -> dict[str, bytes]:
        """The contents of all files in the folders of plugins, by name."""
        root = self.folder / "plugins"
        return {
            path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
        }

    def note(self, text: str) -> None:
        with closing(connect(self.database)) as conn:
            kv.set_value(conn, "test", "note", text, NOW)

    def noted(self) -> object:
        with closing(connect(self.database, "ro")) as conn:
            return kv.get(conn, "test", "note")

    def backup(self, target: Path, **options: object) -> Made:
        return make_backup(Order(self.database, self.folder, target, NOW, **options))  # type: ignore[arg-type]  fields by name

    def restore(self, source: Path, **options: object) -> Restored:
        return restore(Restore(source, self.database, NOW, **options))  # type: ignore[arg-type]  fields by name

    def names(self) -> list[str]:
        """The names in the folder but the lock's."""
        return sorted(path.name for path in self.folder.iterdir() if path.name != "tgllm.lock")

    def has_files(self, blobs: dict[str, bytes]) -> bool:
        return all((self.folder / path).read_bytes() == content for path, content in blobs.items())
