"""Results of the check of a plugin."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from tgllm.api.context import Check
from tgllm.i18n import Catalogue

__all__ = ["Checked"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of one plugin has found."""

    plugin_id: str
    package: str
    version: str
    checks: tuple[Check, ...]
    provides: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Names of all that it offers, aliases included."""
    missing: tuple[str, ...] = ()
    """Settings that it needs and that are not set."""
    figures: Mapping[str, float] = field(default_factory=dict[str, float])
    """Seconds and mebibytes of the import, and numbers of modules."""

    @property
    def is_failed(self) -> bool:
        """Whether a check has failed."""
        return any(check.state == "failed" for check in self.checks)

    def as_object(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "plugin": self.plugin_id,
            "package": self.package,
            "version": self.version,
            "ok": not self.is_failed,
            "provides": list(self.provides),
            "names": list(self.names),
            "missing_settings": list(self.missing),
            "import": dict(self.figures),
            "checks": [asdict(check) for check in self.checks],
        }

    @classmethod
    def of_object(cls, found: Mapping[str, Any]) -> "Checked":
        """Return what ``as_object`` has written."""
        texts = {name: tuple(map(str, cast("list[str]", found[name]))) for name in ("provides", "names")}
        return cls(
            str(found["plugin"]),
            str(found["package"]),
            str(found["version"]),
            tuple(Check(**each) for each in cast("list[dict[str, Any]]", found["checks"])),
            missing=tuple(map(str, cast("list[str]", found["missing_settings"]))),
            figures=cast("Mapping[str, float]", found["import"]),
            **texts,
        )

    def lines(self, texts: Catalogue) -> Iterator[str]:
        """Yield what an operator is to know after the installation."""
        if self.provides:
            yield texts("shell.plugins_adds", plugin=self.plugin_id, offers=", ".join(self.provides))
        for check in self.checks:
            if check.state == "failed":
                yield texts("shell.plugins_check_failed", plugin=self.plugin_id, check=check.name, detail=check.detail)
        for name in self.missing:
            yield texts("shell.plugins_needs_setting", plugin=self.plugin_id, setting=name)
