"""Print the models that the plugins of llm have, as JSON: ``python -m tgllm_llm.print_models [PATTERN...]``."""

import json
import sys
from dataclasses import asdict

from tgllm_llm.installed_llm import Library


class _Quiet:
    """A log of nothing; the errors are part of the result."""

    def debug(self, event: str, **values: object) -> None: ...
    def info(self, event: str, **values: object) -> None: ...
    def warning(self, event: str, **values: object) -> None: ...
    def error(self, event: str, **values: object) -> None: ...


def main(patterns: list[str]) -> None:
    """Load all plugins, and print their models in the last line."""
    library = Library(_Quiet(), patterns)
    library.load()
    json.dump([asdict(each.listed()) for each in library.read()], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
