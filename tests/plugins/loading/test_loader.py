"""Whatever is wrong with a plugin, it is told in one sentence, and everything else goes on."""

from pathlib import Path
from typing import Any

import pytest

from plugin_support import FindRecord, LoadHost
from tgllm.plugins import HostLimits

REASONS = {
    "bad_import": "its import raised RuntimeError: the moon is not full",
    "bad_exit": "its import raised SystemExit: 3",
    "bad_signature": "tgllm_providers has no argument contxt (did you mean ctx?): it takes ctx",
    "bad_hook": "tgllm_provders is no hook of this tgllm (did you mean tgllm_providers?)",
    "bad_wrapper": "tgllm_commands is a hook wrapper, and wrappers are refused: make it a plain implementation",
    "bad_api": "it needs API 1.7, this tgllm has 1.2: upgrade tgllm",
    "bad_no_info": "it has no tgllm_plugin_info: tgllm_test_bad_no_info must implement it",
    "bad_id": "it calls itself somebody_else, but its entry point is named bad_id: they must be the same",
    "bad_return": "tgllm_providers returned a list with a str in it instead of a ProviderSpec",
    "bad_settings": "its settings model raised RuntimeError: no level will do",
}


@pytest.mark.parametrize("plugin_id", REASONS)
async def test_a_bad_plugin_is_quarantined_with_the_reason_and_a_good_one_works(
    site: Any, load_host: LoadHost, record: FindRecord, plugin_id: str
) -> None:
    site.install(plugin_id, "good_all")

    host = await load_host()

    bad = record(host, plugin_id)
    assert (bad.state, bad.reason, bad.provides) == ("quarantined", REASONS[plugin_id], ())
    assert record(host, "good_all").state == "active"
    assert [owned.plugin_id for owned in host.providers] == ["echo", "good_all"]


async def test_the_good_one_shows_what_it_provides(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.install("good_all")

    found = record(await load_host(), "good_all")

    assert found.provides == (
        "provider parrot",
        "command /greet",
        "file handler plain",
        "transcriber ears",
        "job sweep",
    )
    assert (found.package, found.version, found.api, found.reason) == ("tgllm-test-good-all", "0.3.0", "1.0", "")
    assert len(found.hooks) == 13


INFO = """
    @hookimpl
    def tgllm_plugin_info():
        return PluginInfo(id="odd", title="Odd", api="{api}")
"""


def info(arguments: str) -> str:
    return f"@hookimpl\ndef tgllm_plugin_info(): return PluginInfo({arguments})\n"


def returning(hook: str, expression: str, api: str = "1.0") -> str:
    return f"""{INFO.format(api=api)}
    async def run(call): ...
    class Here:
        @staticmethod
        def extract(path, limits): ...
    @hookimpl
    def {hook}():
        return {expression}
"""


LOW = "a lower-case letter first, then lower-case letters, digits and underscores"
SINGLE = "a lower-case letter first, then lower-case letters and digits, with single underscores between them"
ODD = {
    "newer API": (
        INFO.format(api="1.99"),
        "it needs API 1.99, this tgllm has 1.2: upgrade tgllm",
    ),
    "a name of a newer API": (
        "from tgllm.api import Hologram",
        "it needs tgllm.api.Hologram, which this tgllm (API 1.2) does not have: upgrade tgllm, or correct the name",
    ),
    "a module of a newer API": (
        "import tgllm.api.holograms",
        "it needs tgllm.api.holograms, which this tgllm (API 1.2) does not have: upgrade tgllm, or correct the name",
    ),
    "a field of a newer API": (
        info("id='odd', title='Odd', api='1.99', holograms=()"),
        "it needs PluginInfo.holograms, which this tgllm (API 1.2) does not have: upgrade tgllm, or correct the name",
    ),
    "older API": (
        INFO.format(api="0.9"),
        "it needs API 0.9, this tgllm has 1.2: upgrade tgllm-odd",
    ),
    "API in words": (INFO.format(api="latest"), "its API version 'latest' can't be read: write it like '1.0'"),
    "no PluginInfo": (
        "@hookimpl\ndef tgllm_plugin_info(): return {'id': 'odd'}",
        "tgllm_plugin_info returned a dict instead of a PluginInfo",
    ),
    "upper case": (
        "@hookimpl\ndef tgllm_plugin_info(): return PluginInfo(id='Odd', title='', api='1.0')",
        f"its id 'Odd' must look like odd: {SINGLE}",
    ),
    "no mark": (
        INFO.format(api="1.0") + "\n    def tgllm_commands(ctx): return []",
        "tgllm_commands lacks its mark: put @tgllm.hookimpl above it",
    ),
    "info without mark": (
        "def tgllm_plugin_info(): ...",
        "tgllm_plugin_info lacks its mark: put @tgllm.hookimpl above it",
    ),
    "two infos": (
        INFO.format(api="1.0") + "\n    @hookimpl(specname='tgllm_plugin_info')\n    def again(): ...",
        "it implements tgllm_plugin_info more than once",
    ),
    "env of no field": (
        "@hookimpl\ndef tgllm_plugin_info(): return PluginInfo('odd', 'Odd', '1.0', env={'api_key': 'ODD_KEY'})",
        "its env names api_key, which is no field of its settings",
    ),
    "raises": (
        INFO.format(api="1.0") + "\n    @hookimpl\n    def tgllm_jobs(): raise KeyError('x')",
        "tgllm_jobs raised KeyError: 'x'",
    ),
    "raises what can't be told": (
        INFO.format(api="1.0")
        + """
    class Odd(Exception):
        def __str__(self): raise TypeError
    @hookimpl
    def tgllm_jobs(): raise Odd""",
        "tgllm_jobs raised Odd",
    ),
    "import raises what can't be told": (
        INFO.format(api="1.0")
        + """
    class Odd(ImportError):
        def __str__(self): raise TypeError
    raise Odd(name='tgllm.api')""",
        "it needs tgllm.api, which this tgllm (API 1.2) does not have: upgrade tgllm, or correct the name",
    ),
    "description raises what can't be told": (
        """
    class Odd(Exception):
        def __str__(self): raise TypeError
    @hookimpl
    def tgllm_plugin_info(): raise Odd""",
        "tgllm_plugin_info raised Odd",
    ),
    "import of a number": (
        INFO.format(api="1.0") + "\n    raise ModuleNotFoundError('none', name=7)",
        "its import raised ModuleNotFoundError: none",
    ),
    "import without an attribute that is a number": (
        INFO.format(api="1.0") + "\n    raise AttributeError('none', name=7)",
        "its import raised AttributeError: none",
    ),
    "raises half a letter": (
        INFO.format(api="1.0") + "\n    @hookimpl\n    def tgllm_jobs(): raise ValueError('\\ud83d')",
        "tgllm_jobs raised ValueError: ?",
    ),
    "exits in a hook": (
        INFO.format(api="1.0") + "\n    @hookimpl\n    def tgllm_jobs(): raise SystemExit",
        "tgllm_jobs raised SystemExit",
    ),
    "async where it may not be": (
        INFO.format(api="1.0") + "\n    @hookimpl\n    async def tgllm_jobs(): return []",
        "tgllm_jobs is async, and this hook must be a plain function: write def instead of async def",
    ),
    "generator": (
        INFO.format(api="1.0") + "\n    @hookimpl\n    def tgllm_jobs(): yield 1",
        "tgllm_jobs returned a generator instead of a list of JobSpec",
    ),
    "nothing": (
        returning("tgllm_commands", "None"),
        "tgllm_commands returned nothing instead of a list of ChatCommand: return an empty list for none",
    ),
    "command name": (
        returning("tgllm_commands", "[ChatCommand('Go!', 'Go', run)]"),
        f"the command name 'Go!' must look like go: at most 32 characters without the slash, {LOW}",
    ),
    "command description": (
        returning("tgllm_commands", "[ChatCommand('go', '', run)]"),
        "a description of /go is not 1 to 256 characters long",
    ),
    "command access": (
        returning("tgllm_commands", "[ChatCommand('go', 'Go', run, access='root')]"),
        "the access of /go is 'root' instead of user or admin or owner",
    ),
    "command handler": (
        returning("tgllm_commands", "[ChatCommand('go', 'Go', None)]"),
        "the handler of /go is nothing and can't be called: give it the function itself",
    ),
    "aliases in one text": (
        returning("tgllm_commands", "[ChatCommand('go', 'Go', run, aliases='went')]"),
        "the aliases of /go are the text 'went' instead of a tuple of texts",
    ),
    "field of the wrong type": (
        returning("tgllm_commands", "[ChatCommand('go', None, run)]"),
        "a description of /go is nothing instead of a text",
    ),
    "a number of the wrong type": (
        returning("tgllm_jobs", "[JobSpec('x', 'X', '* * * * *', run, timeout='60')]"),
        "the timeout of job x is a str instead of a number of seconds",
    ),
    "half a letter in a description": (
        returning("tgllm_commands", "[ChatCommand('go', 'Go \\ud83d', run)]"),
        "a description of /go holds half of a surrogate pair, which can't be sent",
    ),
    "a blank description": (
        returning("tgllm_commands", "[ChatCommand('go', 'Go', run, descriptions={'ru': ' '})]"),
        "a description of /go is empty",
    ),
    "a language in words": (
        returning("tgllm_commands", "[ChatCommand('go', 'Go', run, descriptions={'russian': 'Вперёд'})]"),
        "the language of a description of /go 'russian' must look like ru: two lower-case letters",
    ),
    "aliases that are gone after a look": (
        returning("tgllm_providers", "[ProviderSpec('a', 'A', run, aliases=(name for name in 'bc'))]"),
        "the aliases of provider a are a generator instead of a tuple of texts",
    ),
    "a provider without a title": (
        returning("tgllm_providers", "[ProviderSpec('a', None, run)]"),
        "the title of provider a is nothing instead of a text",
    ),
    "a file handler that is async": (
        INFO.format(api="1.0")
        + """
    async def extract(path, limits): ...
    @hookimpl
    def tgllm_file_handlers(): return [FileHandler('x', frozenset({'text/*'}), extract)]""",
        "extract of file handler x must be a plain function: it runs in a process of its own, where it may block",
    ),
    "a timeout that is no number": (
        returning("tgllm_jobs", "[JobSpec('x', 'X', '* * * * *', run, timeout=float('nan'))]"),
        "the timeout of job x is not more than 0 s",
    ),
    "no title": (
        info("id='odd', title=None, api='1.0'"),
        "its title is nothing instead of a text",
    ),
    "settings that are no pydantic model": (
        "class Settings: mark = '!'\n" + info("id='odd', title='Odd', api='1.0', settings=Settings"),
        "its settings are the class Settings instead of a class derived from pydantic.BaseModel",
    ),
    "settings that are made already": (
        "from pydantic import BaseModel\nclass S(BaseModel): ...\n"
        + info("id='odd', title='Odd', api='1.0', settings=S()"),
        "its settings are a S instead of a class derived from pydantic.BaseModel",
    ),
    "env that is no dict": (
        info("id='odd', title='Odd', api='1.0', env='ODD_KEY'"),
        "its env is a str instead of a dict of fields and variables",
    ),
    "a variable of the bot's own": (
        info("id='odd', title='Odd', api='1.0', env={'key': 'TGLLM_ODD_KEY'}"),
        "its env names TGLLM_ODD_KEY: variables that begin with TGLLM_ are the bot's own",
    ),
    "a variable that is no name": (
        info("id='odd', title='Odd', api='1.0', env={'key': 'ODD KEY'}"),
        (
            "the variable that its env names for key 'ODD KEY' must look like ODD_KEY: "
            "letters, digits and underscores, with no digit first"
        ),
    ),
    "provider id": (
        returning("tgllm_providers", "[ProviderSpec('a/b', 'A', run)]"),
        f"the provider id 'a/b' must look like a_b: {LOW}",
    ),
    "one name twice": (
        returning("tgllm_providers", "[ProviderSpec('a', 'A', run), ProviderSpec('b', 'B', run, aliases=('a',))]"),
        "it gives provider a twice",
    ),
    "handler of no module": (
        returning("tgllm_file_handlers", "[FileHandler('x', frozenset({'text/*'}), lambda path, limits: None)]"),
        "extract of file handler x is no function at the top of a module: another process finds it there by its name",
    ),
    "kind of file": (
        returning("tgllm_file_handlers", "[FileHandler('x', frozenset({'pdf'}), Here.extract)]"),
        (
            "the kind of file that file handler x takes 'pdf' must look like application/pdf: "
            "a type and a subtype without parameters, all subtypes as text/*, or everything as */*"
        ),
    ),
    "no kind of file": (
        returning("tgllm_file_handlers", "[FileHandler('x', frozenset(), Here.extract)]"),
        "file handler x names no kind of file in mime_types",
    ),
    "ending": (
        returning(
            "tgllm_file_handlers",
            "[FileHandler('x', frozenset({'text/*'}), Here.extract, suffixes=frozenset({'gpx'}))]",
        ),
        (
            "the ending that x takes 'gpx' must look like .gpx: "
            "a dot, then 1 to 16 lower-case letters, digits, underscores, plus or minus signs"
        ),
    ),
    "transcriber id": (
        returning("tgllm_transcribers", "[Transcriber('a/b', frozenset({'audio/*'}), run)]"),
        f"the transcriber id 'a/b' must look like a_b: {LOW}",
    ),
    "transcriber of no kind": (
        returning("tgllm_transcribers", "[Transcriber('x', frozenset(), run)]"),
        "transcriber x names no kind of file in mime_types",
    ),
    "transcriber that can't be called": (
        returning("tgllm_transcribers", "[Transcriber('x', frozenset({'audio/*'}), 'run')]"),
        "transcribe of transcriber x is a str and can't be called: give it the function itself",
    ),
    "transcriber twice": (
        returning("tgllm_transcribers", "[Transcriber('x', frozenset({'audio/*'}), run)] * 2"),
        "it gives transcriber x twice",
    ),
    "cron": (
        returning("tgllm_jobs", "[JobSpec('x', 'X', '@daily', run)]"),
        "the cron of job x is '@daily' instead of 5 fields such as '0 4 * * *' (minute, hour, day, month, weekday)",
    ),
    "a cron that is none": (
        returning("tgllm_jobs", "[JobSpec('x', 'X', None, run)]"),
        "the cron of job x is nothing instead of a text",
    ),
    "one instead of a list": (
        returning("tgllm_jobs", "JobSpec('x', 'X', '* * * * *', run)"),
        "tgllm_jobs returned a JobSpec instead of a list of JobSpec: put it into a list",
    ),
    "a handler without an argument": (
        returning("tgllm_commands", "[ChatCommand('go', 'Go', lambda: None)]"),
        "the handler of /go can't be called with (CommandCall): too many positional arguments",
    ),
    "an extract without limits": (
        INFO.format(api="1.0")
        + """
    def extract(path): ...
    @hookimpl
    def tgllm_file_handlers(): return [FileHandler('x', frozenset({'text/*'}), extract)]""",
        "extract of file handler x can't be called with (Path, ExtractionLimits): too many positional arguments",
    ),
    "a job that wants more": (
        INFO.format(api="1.0")
        + """
    async def run(ctx, job): ...
    @hookimpl
    def tgllm_jobs(): return [JobSpec('x', 'X', '* * * * *', run)]""",
        "run of job x can't be called with (PluginContext): missing a required argument: 'job'",
    ),
    "a yield in a hook": (
        INFO.format(api="1.0") + "\n    @hookimpl\n    async def tgllm_startup(ctx): yield",
        "tgllm_startup has a yield in it, so its code would never run: use return",
    ),
    "a missing library": (
        "import no_such_library",
        (
            "its import raised ModuleNotFoundError: No module named 'no_such_library': "
            "name it in the dependencies of tgllm-odd, and install the package again"
        ),
    ),
    "timeout": (
        returning("tgllm_jobs", "[JobSpec('x', 'X', '* * * * *', run, timeout=0)]"),
        "the timeout of job x is not more than 0 s",
    ),
}


@pytest.mark.parametrize("case", ODD)
async def test_the_sentence_says_what_is_wrong(site: Any, load_host: LoadHost, record: FindRecord, case: str) -> None:
    source, reason = ODD[case]
    site.write("odd", source)

    odd = record(await load_host(builtin=False), "odd")

    assert (odd.state, odd.reason) == ("quarantined", reason)


async def test_a_key_in_an_error_is_not_told(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.write("odd", "raise RuntimeError('no access with token=abcdef0123456789')")

    reason = record(await load_host(builtin=False), "odd").reason

    assert reason.startswith("its import raised RuntimeError: no access with token=")
    assert "abcdef" not in reason


async def test_a_long_error_is_cut_to_its_first_line(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.write("odd", "raise RuntimeError('first ' * 100 + '\\nsecond')")

    reason = record(await load_host(builtin=False), "odd").reason

    assert "second" not in reason
    assert len(reason) < 250


async def test_a_hanging_import_is_left_alone(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.install("hang_import")

    host = await load_host(builtin=False, limits=HostLimits(import_seconds=0.2))

    assert record(host, "hang_import").reason == "its import did not end within 0.2 s"


async def test_a_hanging_hook_is_left_alone_and_the_next_plugin_is_loaded(
    site: Any, load_host: LoadHost, record: FindRecord
) -> None:
    site.install("hang_hook", "good_all")

    host = await load_host(limits=HostLimits(hook_seconds=3))

    assert record(host, "hang_hook").reason == "tgllm_commands did not end within 3 s"
    assert record(host, "good_all").state == "active"


async def test_an_optional_hook_of_a_later_tgllm_is_passed_over(
    site: Any, load_host: LoadHost, record: FindRecord
) -> None:
    site.write("odd", INFO.format(api="1.0") + "\n    @hookimpl(optionalhook=True)\n    def tgllm_tomorrow(): ...")

    odd = record(await load_host(builtin=False), "odd")

    assert (odd.state, odd.hooks) == ("active", ("tgllm_plugin_info",))


async def test_a_disabled_plugin_is_not_imported(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.install("bad_import", "good_all")

    host = await load_host(disabled={"bad_import"})

    found = record(host, "bad_import")
    assert (found.state, found.reason) == ("disabled", "it is disabled by name (TGLLM_DISABLE_PLUGINS)")
    assert record(host, "good_all").state == "active"


async def test_without_plugins_only_the_built_in_ones_are_loaded(
    site: Any, load_host: LoadHost, record: FindRecord
) -> None:
    site.install("bad_import", "good_all")

    host = await load_host(others=False)

    assert {found.id for found in host.records if found.state == "active"} == {
        "basic_tools",
        "basics",
        "echo",
        "files",
        "basic_memory",
    }
    assert record(host, "good_all").reason == "only built-in plugins are loaded (--no-plugins)"


async def test_an_entry_point_to_a_module_that_is_not_there(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.add("tgllm-gone", "1.0", {"gone": "tgllm_no_such_module"}, {})

    reason = record(await load_host(), "gone").reason

    assert reason == (
        "its import raised ModuleNotFoundError: No module named 'tgllm_no_such_module': "
        "the entry point gone names tgllm_no_such_module, and the package has to contain it"
    )


async def test_a_plugin_can_be_an_object(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    source = """
from tgllm import hookimpl
from tgllm.api import PluginInfo
class Plugin:
    def __init__(self, name): self.name = name
    @hookimpl
    def tgllm_plugin_info(self): return PluginInfo(id=self.name, title="Object", api="1")
plugin = Plugin("thing")
"""
    site.add("tgllm-thing", "1.0", {"thing": "tgllm_thing:plugin"}, {"tgllm_thing": source})

    assert record(await load_host(), "thing").state == "active"


async def test_plugins_are_listed_where_no_data_folder_can_be_made(
    load_host: LoadHost, record: FindRecord, logs: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    host = await load_host(data_dir=tmp_path / "file")

    assert record(host, "echo").state == "active"
    assert set(logs.events("warning")) == {"plugin.data_folder_failed"}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "its import raised ImportError: the entry point odd names no module: ''"),
        (
            "no_such_module_at_all",
            (
                "its import raised ModuleNotFoundError: No module named 'no_such_module_at_all': "
                "the entry point odd names no_such_module_at_all, and the package has to contain it"
            ),
        ),
        (
            "json:plugin",
            (
                "its import raised AttributeError: module 'json' has no attribute 'plugin': "
                "the entry point odd names json:plugin"
            ),
        ),
        (
            "json:JSONEncoder",
            "its entry point names the class JSONEncoder: name a module, or an object of the class",
        ),
    ],
)
async def test_an_entry_point_that_points_nowhere(
    site: Any, load_host: LoadHost, record: FindRecord, value: str, reason: str
) -> None:
    site.add("tgllm-odd", "1.0", {"odd": value}, {})

    odd = record(await load_host(builtin=False), "odd")

    assert (odd.state, odd.reason) == ("quarantined", reason)


@pytest.mark.parametrize("plugin_id", ["two__parts", "open_end_"])
async def test_an_id_that_no_variable_could_name_is_refused(
    site: Any, load_host: LoadHost, record: FindRecord, plugin_id: str
) -> None:
    site.write(plugin_id, info(f"id={plugin_id!r}, title='Odd', api='1.0'"), package="tgllm-odd")

    odd = record(await load_host(builtin=False), plugin_id)

    assert odd.state == "quarantined"
    assert odd.reason == f"its id {plugin_id!r} must look like {plugin_id.replace('__', '_').strip('_')}: {SINGLE}"
