"""Every hook, as a plugin sees it and as the bot sees its results."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugin_support import FindRecord, LoadHost
from tgllm import hookspecs
from tgllm.api import (
    ChatInfo,
    ChatRequest,
    CommandCall,
    Decision,
    DueJob,
    ExtractionLimits,
    Finished,
    Press,
    Recording,
    SentMessage,
    Stopped,
    TextDelta,
    Transcript,
    TurnInfo,
    TurnResult,
    Unavailable,
    Usage,
    UserInfo,
)
from tgllm.plugins import PluginHost

RESULT = TurnResult("Hi", "", "stop", Usage())
BESIDE_TURNS = [
    ("tgllm_job", "job, ctx", {"job": DueJob("a", 1.0)}, [(DueJob("a", 1.0), "p")]),
    ("tgllm_forget", "user, ctx", {"user": UserInfo(7, "", None)}, [(UserInfo(7, "", None), "p")]),
    ("tgllm_chat_moved", "old, new, ctx", {"old": -5, "new": -1005}, [(-5, -1005, "p")]),
]
"""Hooks that the scheduler calls, whose effects tests/scheduler checks."""


@pytest.fixture
async def host(site: Any, load_host: LoadHost) -> PluginHost:
    site.install("good_all")
    return await load_host()


def calls() -> list[tuple[str, object]]:
    return sys.modules["tgllm_test_good_all"].calls


def plugin(plugin_id: str, body: str) -> str:
    return f"""
    seen = []
    @hookimpl
    def tgllm_plugin_info(): return PluginInfo({plugin_id!r}, "T", "1.0")
    {body}
    """


def tool(plugin_id: str, tool: str = "TOOL") -> str:
    return f"""
    from dataclasses import replace
    async def look(use): return "nothing"
    TOOL = ToolSpec("look", "Looks.", look, danger="read")
    @hookimpl
    def tgllm_plugin_info(): return PluginInfo({plugin_id!r}, "T", "1.2")
    @hookimpl
    def tgllm_tools(): return ({tool},)
    """


def test_every_hook_has_a_test() -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("tgllm_")}
    tested = {name.removeprefix("test_hook_").split("__")[0] for name in globals() if name.startswith("test_hook_")}
    tested |= {hook.removeprefix("tgllm_") for hook, *_ in BESIDE_TURNS}

    assert {name.removeprefix("tgllm_") for name in hooks} == tested


async def test_hook_plugin_info(host: PluginHost, record: FindRecord) -> None:
    assert record(host, "good_all").api == "1.0"


async def test_hook_providers(host: PluginHost, request_: ChatRequest) -> None:
    (parrot,) = [owned for owned in host.providers if owned.plugin_id == "good_all"]
    provider = parrot.spec.create(parrot.context)

    assert [event async for event in provider.generate(request_)] == [TextDelta("Parrot: hello"), Finished()]


async def test_hook_commands(host: PluginHost, user: UserInfo, chat: ChatInfo) -> None:
    (greet,) = [owned for owned in host.commands if owned.plugin_id == "good_all"]

    answer = await greet.command.handler(CommandCall("greet", "", user, chat, greet.context))

    assert answer == "Hello Uwe"


async def test_hook_file_handlers(host: PluginHost, tmp_path: Path) -> None:
    (owned,) = [owned for owned in host.file_handlers if owned.plugin_id == "good_all"]
    (tmp_path / "a.txt").write_text("abcdef", encoding="utf-8")

    assert owned.handler.extract(tmp_path / "a.txt", ExtractionLimits(3, 1.0, 1)).text == "abc"


async def test_hook_transcribers(host: PluginHost, tmp_path: Path) -> None:
    (owned,) = host.transcribers

    heard = await owned.transcriber.transcribe(Recording(tmp_path / "a.ogg", "audio/ogg", 7, language="de"))

    assert (owned.plugin_id, heard) == ("good_all", Transcript("7 bytes of audio/ogg", language="de"))


async def test_hook_jobs(host: PluginHost) -> None:
    (owned,) = host.jobs

    await owned.job.run(owned.context)

    assert (owned.job.id, calls()) == ("sweep", [("sweep", "good_all")])


async def test_hook_tools(site: Any, load_host: LoadHost) -> None:
    site.write("a", tool("a"))
    site.write("b", tool("b"))
    host = await load_host()

    def offered() -> list[str]:
        return [owned.tool.name for owned in host.tools if owned.plugin_id in {"a", "b"}]

    (owned,) = [owned for owned in host.tools if owned.plugin_id == "a"]
    assert (owned.plugin_id, owned.tool.name, owned.tool.may_repeat) == ("a", "look", True)
    (b,) = [plugin.context for plugin in host.implementations("tgllm_plugin_info") if plugin.plugin.id == "b"]
    before = host.tools_revision
    left_out = b.tools.replace([owned.tool, replace(owned.tool, name="see"), replace(owned.tool, name="3")], "eyes")

    assert offered() == ["look", "see"]
    assert left_out == (
        "tool look is taken by the plugin a, so it is left out",
        "the tool name '3' is not 1 to 64 letters, digits, _ and -, with a letter or _ first",
    )
    assert host.tools_revision != before
    host.quarantine("b", "it sees double")
    assert offered() == ["look"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "'9'", "the tool name '9' is not 1 to 64 letters"),
        ("description", "''", "the description of tool look is not 1 to 4096 characters long"),
        ("schema", "{'type': 'string'}", 'its "type" must be "object"'),
        ("schema", "{'type': 'object', 'x': float('nan')}", "the schema of tool look is not JSON"),
        ("schema", "[1]", "the schema of tool look is a list instead of a JSON Schema"),
        ("access", "'king'", "the access of tool look is 'king' instead of one of owner, admin, user, guest"),
        ("danger", "'none'", "the danger of tool look is 'none' instead of one of read, write, dangerous"),
        ("timeout", "0", "the timeout of tool look is 0 instead of a number of seconds up to 600"),
        ("handler", "print()", "the handler of tool look is nothing and can't be called"),
    ],
)
async def test_a_wrong_field_of_a_tool_is_named(
    site: Any, load_host: LoadHost, record: FindRecord, field: str, value: str, says: str
) -> None:
    site.write("a", tool("a", f"replace(TOOL, {field}={value})"))
    host = await load_host()

    assert says in record(host, "a").reason


async def test_hook_doctor(host: PluginHost) -> None:
    ((plugin_id, check),) = await host.doctor()

    assert (plugin_id, check.name, check.state, check.detail) == ("good_all", "feathers", "ok", "good_all")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("def tgllm_doctor(): raise OSError('no map')", "tgllm_doctor raised OSError: no map"),
        ("def tgllm_doctor(): return ['fine']", "tgllm_doctor returned a list with a str in it instead of a Check"),
        (
            "def tgllm_doctor(): return [Check('roof', 'broken')]",
            "tgllm_doctor: the state of roof is 'broken' instead of ok or warning or failed or not configured",
        ),
        (
            "def tgllm_doctor(): return [Check(None, 'ok')]",
            "tgllm_doctor: the name of a check is nothing instead of a text",
        ),
        (
            "def tgllm_doctor(): return [Check('roof', 'ok', OSError())]",
            "tgllm_doctor: the detail of roof is an OSError instead of a text",
        ),
        (
            "async def tgllm_doctor(): ...",
            "tgllm_doctor is async, and this hook must be a plain function: write def instead of async def",
        ),
    ],
)
async def test_hook_doctor__a_failure_is_a_failed_check(
    site: Any, load_host: LoadHost, record: FindRecord, body: str, detail: str
) -> None:
    site.write("lost", plugin("lost", f"@hookimpl\n    {body}"))
    host = await load_host()

    ((plugin_id, check),) = await host.doctor()

    assert (plugin_id, check.state, check.detail) == ("lost", "failed", detail)
    assert record(host, "lost").state == "active"


async def test_hook_startup(host: PluginHost) -> None:
    await host.startup()

    assert calls() == [("startup", "good_all")]


async def test_hook_startup__a_failure_undoes_all_that_the_plugin_gave(
    site: Any, load_host: LoadHost, record: FindRecord, logs: Any
) -> None:
    body = """
    @hookimpl
    def tgllm_startup(): raise ConnectionError("no road")
    @hookimpl
    def tgllm_providers(): return [ProviderSpec("lost", "L", print)]
    @hookimpl
    def tgllm_shutdown(): seen.append("shutdown")
    """
    site.write("lost", plugin("lost", body))
    host = await load_host(builtin=False)
    before = host.revision
    assert [owned.spec.id for owned in host.providers] == ["lost"]

    await host.startup()
    await host.shutdown()

    assert (host.providers, record(host, "lost").provides) == ((), ())
    assert record(host, "lost").reason == "tgllm_startup raised ConnectionError: no road"
    assert sys.modules["tgllm_lost_module"].seen == []
    assert host.revision > before
    assert "plugin.quarantined" in logs.events("error")


async def test_hook_shutdown(site: Any, load_host: LoadHost, logs: Any) -> None:
    site.install("good_all")
    site.write("zz", plugin("zz", "@hookimpl\n    def tgllm_shutdown(): raise OSError('stuck')"))
    host = await load_host()

    await host.shutdown()

    assert calls() == [("shutdown", "good_all")]
    assert logs.events("error") == ["plugin.shutdown_failed"]


async def test_hook_shutdown__goes_in_reverse_order(site: Any, load_host: LoadHost) -> None:
    for plugin_id in ("b", "a"):
        body = "@hookimpl\n    def tgllm_shutdown(ctx): __import__('tgllm_a_module').seen.append(ctx.plugin_id)"
        site.write(plugin_id, plugin(plugin_id, body))
    host = await load_host()

    await host.shutdown()

    assert sys.modules["tgllm_a_module"].seen == ["b", "a"]


async def test_hook_authorize(host: PluginHost, user: UserInfo, owner: UserInfo, chat: ChatInfo) -> None:
    assert await host.authorize(user, chat, "message") == Decision.allow()
    assert await host.authorize(user, chat, "button") == Decision.deny("No buttons for Uwe.")
    assert await host.authorize(owner, chat, "button") == Decision.deny("No buttons for Olga.")
    assert calls() == [("authorize", "message"), ("authorize", "button"), ("authorize", "button")]


async def test_hook_before_request(host: PluginHost, request_: ChatRequest, turn: TurnInfo) -> None:
    changed = await host.before_request(request_, turn)

    assert changed == replace(request_, system="Speak like a parrot.")
    assert calls() == [("before_request", "t1")]


async def test_hook_before_request__is_a_chain_in_order(
    site: Any, load_host: LoadHost, request_: ChatRequest, turn: TurnInfo
) -> None:
    ranks = {"a": "trylast=True", "b": "", "c": "tryfirst=True", "d": "", "e": "tryfirst=True"}
    for plugin_id, rank in ranks.items():
        body = f"""
    from dataclasses import replace
    @hookimpl({rank})
    def tgllm_before_request(ctx, request): return replace(request, system=(request.system or "") + ctx.plugin_id)
        """
        site.write(plugin_id, plugin(plugin_id, body))
    site.write("z", plugin("z", "@hookimpl\n    async def tgllm_before_request(turn): return None"))
    host = await load_host()

    assert (await host.before_request(request_, turn)).system == "cebda"


async def test_hook_before_request__an_error_of_the_contract_ends_the_turn(
    site: Any, load_host: LoadHost, record: FindRecord, request_: ChatRequest, turn: TurnInfo
) -> None:
    site.write("a", plugin("a", "@hookimpl\n    async def tgllm_before_request(): raise Refused(code='curfew')"))
    host = await load_host()

    with pytest.raises(hookspecs.TgllmError) as caught:
        await host.before_request(request_, turn)

    assert caught.value.code == "curfew"
    assert record(host, "a").state == "active"


@pytest.mark.parametrize("returned", ["raise ValueError('?')", "return 'request'"])
async def test_hook_before_request__another_failure_leaves_the_request_as_it_was(
    site: Any, load_host: LoadHost, record: FindRecord, request_: ChatRequest, turn: TurnInfo, returned: str
) -> None:
    site.install("good_all")
    site.write("a", plugin("a", f"@hookimpl\n    def tgllm_before_request(): {returned}"))
    host = await load_host()

    changed = await host.before_request(request_, turn)

    assert changed.system == "Speak like a parrot."
    assert record(host, "a").state == "quarantined"
    assert record(host, "good_all").state == "active"


WRONG_REQUESTS = {
    "model='dearer'": "changed the model: people choose it, and what it costs is counted by it",
    "system=5": "set system to an int",
    "temperature='hot'": "set temperature to a str",
    "max_output_tokens=1.5": "set max_output_tokens to a float",
    "reasoning_effort='ultra'": "set reasoning_effort to 'ultra'",
    "messages=()": "set messages to something else than a tuple with a message in it",
    "messages=list(request.messages)": "set messages to something else than a tuple with a message in it",
    "messages=('hello',)": "put a str among the messages",
    "messages=(ChatMessage('system', ()),)": ("made a message with the role 'system' instead of user or assistant"),
    "messages=(ChatMessage('user', None),)": "set the parts of a message to nothing instead of a tuple",
    "messages=(ChatMessage('user', ('hello',)),)": "put a str among the parts of a message",
    "messages=(ChatMessage('user', (TextPart(None),)),)": "made a TextPart of nothing",
}


@pytest.mark.parametrize("change", WRONG_REQUESTS)
async def test_hook_before_request__what_no_provider_could_be_asked_is_the_plugins_fault(
    site: Any, load_host: LoadHost, record: FindRecord, request_: ChatRequest, turn: TurnInfo, change: str
) -> None:
    body = f"""
    from dataclasses import replace
    @hookimpl
    def tgllm_before_request(request): return replace(request, {change})
    """
    site.write("a", plugin("a", body))
    host = await load_host()

    assert await host.before_request(request_, turn) == request_
    assert record(host, "a").state == "quarantined"
    assert record(host, "a").reason == f"tgllm_before_request {WRONG_REQUESTS[change]}"


async def test_hook_before_request__all_but_the_model_may_be_changed(
    site: Any, load_host: LoadHost, request_: ChatRequest, turn: TurnInfo
) -> None:
    body = """
    from dataclasses import replace
    from pathlib import Path
    FILE = FilePart(Path("/a"), "text/plain", 1, "0")
    ASKED = (ChatMessage("assistant", (TextPart("a"),)), ChatMessage("user", (TextPart("b"), FILE)))
    @hookimpl
    def tgllm_before_request(request):
        return replace(
            request, messages=ASKED, system="s", temperature=0, max_output_tokens=9, reasoning_effort="low",
            user_key="k",
        )
    """
    site.write("a", plugin("a", body))
    host = await load_host()

    changed = await host.before_request(request_, turn)

    assert [message.text for message in changed.messages] == ["a", "b"]
    assert (changed.system, changed.temperature, changed.max_output_tokens) == ("s", 0, 9)
    assert (changed.reasoning_effort, changed.user_key) == ("low", "k")


async def test_hook_after_reply(host: PluginHost, turn: TurnInfo) -> None:
    await host.after_reply(turn, RESULT)

    assert calls() == [("after_reply", "Hi")]


async def test_hook_on_error(host: PluginHost, turn: TurnInfo) -> None:
    await host.on_error(turn, Unavailable())

    assert calls() == [("on_error", "unavailable")]


@pytest.mark.parametrize("hook", ["after_reply", "on_error"])
async def test_a_failure_after_a_turn_disturbs_nobody(
    site: Any, load_host: LoadHost, record: FindRecord, turn: TurnInfo, hook: str
) -> None:
    site.install("good_all")
    site.write("a", plugin("a", f"@hookimpl\n    def tgllm_{hook}(): raise SystemExit"))
    host = await load_host()

    await host.after_reply(turn, RESULT)
    await host.on_error(turn, Stopped())

    assert record(host, "a").reason == f"tgllm_{hook} raised SystemExit"
    assert calls() == [("after_reply", "Hi"), ("on_error", "stopped")]


async def test_the_host_can_be_told_that_a_provider_broke_the_contract(host: PluginHost, record: FindRecord) -> None:
    host.quarantine("good_all", "its provider yields numbers")

    assert record(host, "good_all").reason == "its provider yields numbers"
    assert [owned.plugin_id for owned in host.providers] == ["echo"]
    assert host.jobs == ()


async def test_each_plugin_gets_a_context_of_its_own(site: Any, load_host: LoadHost, tmp_path: Path) -> None:
    for plugin_id in ("a", "b"):
        site.write(plugin_id, plugin(plugin_id, "@hookimpl\n    def tgllm_startup(ctx): seen.append(ctx)"))
    host = await load_host()

    await host.startup()

    contexts = [sys.modules[f"tgllm_{plugin_id}_module"].seen[0] for plugin_id in ("a", "b")]
    assert [context.plugin_id for context in contexts] == ["a", "b"]
    assert [context.data_dir.relative_to(tmp_path) for context in contexts] == [
        Path("data/plugins/a"),
        Path("data/plugins/b"),
    ]
    assert all(context.data_dir.is_dir() for context in contexts)


@pytest.mark.parametrize(("hook", "signature", "values", "seen"), BESIDE_TURNS)
async def test_the_hooks_beside_turns_get_their_arguments(
    site: Any, load_host: LoadHost, hook: str, signature: str, values: dict[str, object], seen: list[object]
) -> None:
    names = signature.replace("ctx", "ctx.plugin_id")
    site.write("p", plugin("p", f"@hookimpl\n    async def {hook}({signature}): seen.append(({names}))"))
    host = await load_host()

    (bound,) = host.implementations(hook)
    await bound.implementation.function(*bound.arguments(values))

    assert sys.modules["tgllm_p_module"].seen == seen


async def test_hook_button__only_of_its_own_plugin(
    site: Any, load_host: LoadHost, user: UserInfo, chat: ChatInfo
) -> None:
    site.write(
        "p", plugin("p", "@hookimpl\n    def tgllm_button(press, ctx): return f'{ctx.plugin_id}: {press.button}'")
    )
    site.write("q", plugin("q", ""))
    host = await load_host()
    press = Press("u1", "yes", None, user, chat, SentMessage(1, chat.id))

    handler = host.press_handler("p")
    assert handler is not None
    assert handler(press) == "p: yes"
    assert host.press_handler("q") is None
    host.quarantine("p", "it broke")
    assert host.press_handler("p") is None
