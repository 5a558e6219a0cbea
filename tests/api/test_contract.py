"""The public API changes only where the changelog says so, and by additions."""

import re
from collections.abc import Mapping

import contract
from tgllm.api import ApiVersion

FOLDER = contract.SNAPSHOT.parent
CHANGELOG = contract.ROOT / "CHANGELOG.md"


def released() -> tuple[ApiVersion, Mapping[str, str]]:
    """Return the newest released version of the API with its lines by name."""
    newest = max(FOLDER.glob("contract-*.txt"), key=lambda path: ApiVersion.parse(path.stem.partition("-")[2]))
    return ApiVersion.parse(newest.stem.partition("-")[2]), by_name(newest.read_text(encoding="utf-8"))


def by_name(snapshot: str) -> Mapping[str, str]:
    """Return the lines of a snapshot by what they describe, such as ``Reply.text``."""
    return {name_in(line): line for line in snapshot.splitlines()}


def name_in(line: str) -> str:
    """Return the name that a line describes; those of the providers' toolkit have their module before it."""
    module, _, described = line.partition(": ")
    found = re.match(r"(?:class |def )?([\w.]+)", described)
    assert found is not None, line
    in_toolkit = module.startswith("tgllm.providers")
    return f"{module.removeprefix('tgllm.')}.{found[1]}" if in_toolkit else found[1]


def unnamed(changed: Mapping[str, str], entry: str) -> list[str]:
    """Return which changed names the entry of the changelog does not mention; a class stands for its new members."""
    mentioned = set(re.findall(r"[\w.]+", " ".join(re.findall(r"`([^`]+)`", entry))))

    def is_named(name: str) -> bool:
        of_class, _, last = name.rpartition(".")
        in_toolkit = name.startswith("providers.")
        # Of the toolkit, a name may stand without its module, and a function alone.
        named = {name, last, *(name[at + 1 :] for at, sign in enumerate(name) if sign == ".")} if in_toolkit else {name}
        return bool(named & mentioned) or (of_class in changed and is_named(of_class))

    return [name for name in changed if not is_named(name)]


def test_the_snapshot_and_the_page_are_up_to_date() -> None:
    assert contract.SNAPSHOT.read_text(encoding="utf-8") == contract.snapshot(), "run `make generate`"
    assert contract.PAGE.read_text(encoding="utf-8") == contract.page(), "run `make generate`"


def test_every_change_since_the_last_release_is_in_the_changelog() -> None:
    _, before = released()
    now = by_name(contract.snapshot())
    changed = {name: line for name, line in now.items() if before.get(name) != line and name != "API_VERSION"}
    entry = CHANGELOG.read_text(encoding="utf-8").partition("## [Unreleased]")[2].partition("\n## [")[0]
    assert not unnamed(changed, entry), "name it in backticks under [Unreleased], and say what plugins can do with it"


def test_nothing_is_removed_within_a_major_version() -> None:
    version, before = released()
    assert version.major != contract_version().major or set(before) <= set(by_name(contract.snapshot()))


def test_an_addition_raises_the_version_of_the_api() -> None:
    version, before = released()
    now = by_name(contract.snapshot())
    added = {name for name in set(now) - set(before) if not name.startswith("providers.")}
    assert not added or contract_version() > version


def contract_version() -> ApiVersion:
    """Return the version that the source declares."""
    line = by_name(contract.snapshot())["API_VERSION"]
    return ApiVersion(*map(int, re.findall(r"\d+", line.partition("=")[2])))


def test_a_new_field_is_missed_until_the_changelog_names_it() -> None:
    changed = {"Reply.sheep": "", "Sheep": "", "Sheep.name": "", "providers.retry.again": ""}
    assert unnamed(changed, "Plugins can send `Sheep`.") == ["Reply.sheep", "providers.retry.again"]
    assert unnamed(changed, "`Reply.sheep`, `Sheep`; the toolkit has `retry.again`.") == []
