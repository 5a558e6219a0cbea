"""Tools of the fake of the Gemini API, judged by Google's SDK; what the SDK hides is asked over plain HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from google import genai
from google.genai import types

from tgllm.api.events import ToolCall
from tgllm.testing.fake_providers import FakeGemini

MODEL = "gemini-3.8-flash"
WEATHER = ToolCall("", "weather", '{"city": "Łódź"}')
CLOCK = ToolCall("", "clock", "")
DECLARED: dict[str, Any] = {"name": "weather", "parametersJsonSchema": {"type": "object", "$schema": "x"}}
QUESTION: dict[str, Any] = {"role": "user", "parts": [{"text": "What is the weather?"}]}
DUMMY = "skip_thought_signature_validator"


@pytest.fixture
async def fake() -> AsyncIterator[FakeGemini]:
    async with FakeGemini() as server:
        yield server


@pytest.fixture
async def sdk(fake: FakeGemini) -> AsyncIterator[Any]:
    async with httpx.AsyncClient() as transport:
        options = types.HttpOptions(base_url=fake.base_url, timeout=10_000, httpx_async_client=transport)
        with genai.Client(api_key=fake.key, http_options=options) as client:
            async with client.aio as found:
                yield found


@pytest.fixture
async def http(fake: FakeGemini) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fake.base_url, headers={"x-goog-api-key": fake.key}) as client:
        yield client


def config() -> types.GenerateContentConfig:
    declared = [
        types.FunctionDeclaration(name=name, description="x", parameters_json_schema={"type": "object"})
        for name in ("weather", "clock")
    ]
    return types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=declared)],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


async def parts_of(sdk: Any, *contents: Any) -> list[Any]:
    chunks = await sdk.models.generate_content_stream(model=MODEL, contents=list(contents), config=config())
    return [
        part
        async for chunk in chunks
        for candidate in chunk.candidates or ()
        for part in (candidate.content.parts if candidate.content else ()) or ()
    ]


async def refused(http: httpx.AsyncClient, *contents: Any, model: str = MODEL, **more: Any) -> str:
    body = {"contents": [QUESTION, *contents], "tools": [{"functionDeclarations": [DECLARED]}], **more}
    response = await http.post(f"/v1/models/{model}:generateContent", json=body)
    return response.json()["error"]["message"] if response.status_code == 400 else f"{response.status_code}"


def call(name: str = "weather", signature: str | None = DUMMY, **more: Any) -> dict[str, Any]:
    signed = {"thoughtSignature": signature} if signature else {}
    return {"functionCall": {"name": name, "args": {}, **more}, **signed}


def result(name: str = "weather", response: Any = None, **more: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": response or {"output": "rain"}, **more}}


def model(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": [*parts]}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": [*parts]}


@pytest.mark.parametrize("form", ["", *sorted(FakeGemini.call_forms - {"repeated"})])
async def test_the_sdk_reads_calls_and_sends_them_back(fake: FakeGemini, sdk: Any, form: str) -> None:
    fake.call(WEATHER, CLOCK, form=form)
    parts = await parts_of(sdk, QUESTION)
    calls = [part.function_call for part in parts if part.function_call]

    assert [(each.name, each.args) for each in calls] == [("weather", {"city": "Łódź"}), ("clock", {})]
    assert [bool(each.id) for each in calls] == [form != "no ids"] * 2
    signed = [bool(part.thought_signature) for part in parts]
    assert signed == ([False, False, True] if form == "signature on a text" else [True, False])

    told = [
        types.Part(function_response=types.FunctionResponse(id=each.id, name=each.name, response={"output": "x"}))
        for each in calls
    ]
    later = await parts_of(
        sdk, QUESTION, types.Content(role="model", parts=parts), types.Content(role="user", parts=told)
    )
    assert "".join(part.text or "" for part in later) == "(no text)"


async def test_calls_end_with_an_ordinary_reason(fake: FakeGemini, sdk: Any) -> None:
    fake.call(WEATHER)

    response = await sdk.models.generate_content(model=MODEL, contents="Hello", config=config())

    assert response.candidates[0].finish_reason.value == "STOP"
    assert [each.name for each in response.function_calls] == ["weather"]
    assert response.candidates[0].content.parts[0].thought_signature


async def test_calls_can_only_have_objects_as_arguments(fake: FakeGemini) -> None:
    for arguments in ('{"city": ', '["Berlin"]'):
        with pytest.raises(NotImplementedError):
            fake.call(ToolCall("", "weather", arguments))


NUMBER = "number of function response parts is equal to the number of function call parts"


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ([model(call())], NUMBER),
        ([model(call()), user({"text": "And?"})], NUMBER),
        ([model(call(), call(signature=None)), user(result())], NUMBER),
        ([model(call()), user(result(), result())], NUMBER),
        ([user(result())], "function response turn comes immediately after a function call turn"),
        ([model(call()), model(call())], "function call turn comes immediately after a user turn"),
        ([model(call(signature=None)), user(result())], "missing a thought_signature"),
        ([model(call(signature=None), call()), user(result(), result())], "missing a thought_signature"),
        ([model(call()), user(result("clock"))], "not that of the function call"),
        ([model(call(id="a")), user(result(id="b"))], "not that of the function call"),
        ([model(call()), user(result(response={"output": [{"$ref": "x"}]}))], 'Unknown name "$ref"'),
        ([user(call())], "valid role"),
    ],
)
async def test_calls_and_results_that_don_t_fit(http: httpx.AsyncClient, contents: list[Any], words: str) -> None:
    assert words in await refused(http, *contents)


async def test_only_the_current_turn_needs_signatures(http: httpx.AsyncClient) -> None:
    earlier = (model(call(signature=None)), user(result()), model({"text": "Rain."}), user({"text": "And now?"}))

    assert await refused(http, *earlier) == "200"
    assert await refused(http, model(call(signature=None)), user(result()), model="gemini-2.5-flash") == "200"


async def test_a_signature_of_other_calls(fake: FakeGemini, http: httpx.AsyncClient) -> None:
    fake.call(WEATHER, CLOCK)
    response = await http.post(f"/v1/models/{MODEL}:generateContent", json={"contents": [QUESTION]})
    first, second = response.json()["candidates"][0]["content"]["parts"]

    swapped = ({**second, "thoughtSignature": first["thoughtSignature"]}, {"functionCall": first["functionCall"]})
    rain, time = result(id=first["functionCall"]["id"]), result("clock", id=second["functionCall"]["id"])
    assert await refused(http, model(first, second), user(rain, time)) == "200"
    assert "Corrupted" in await refused(http, model(*swapped), user(time, rain))
    assert "Corrupted" in await refused(http, model(first), user(rain), model(second), user(time))


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ({**DECLARED, "name": "1x"}, "String should match pattern"),
        ({**DECLARED, "schema": {}}, 'Unknown name "schema"'),
        ({"name": "x", "parameters": {"type": "OBJECT", "additionalProperties": False}}, '"additionalProperties"'),
        ({"name": "x", "parameters": {"properties": {"a": {"const": 1}}}}, 'Unknown name "const"'),
        ({"name": "x", "parameters": {"properties": {"a": {"enum": [1]}}}}, "Invalid value at"),
        ({**DECLARED, "parameters": {"type": "OBJECT"}}, "can't both be set"),
    ],
)
async def test_declarations_that_are_refused(http: httpx.AsyncClient, tool: Any, words: str) -> None:
    assert words in await refused(http, tools=[{"functionDeclarations": [tool]}])


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"mode": "AUTO", "allowedFunctionNames": ["weather"]}, "only be set when the function calling mode is ANY"),
        ({"mode": "ANY", "allowedFunctionNames": ["clock"]}, "clock is not in the function declarations"),
        ({"mode": "SOME"}, "Invalid value"),
    ],
)
async def test_choices_that_are_refused(http: httpx.AsyncClient, setting: Any, words: str) -> None:
    assert words in await refused(http, toolConfig={"functionCallingConfig": setting})


async def test_models_that_call_no_functions(fake: FakeGemini, http: httpx.AsyncClient) -> None:
    assert "Function calling is not enabled" in await refused(http, model="gemini-3.1-flash-image")
    fake.refuses_tools = True
    assert "Function calling is not enabled" in await refused(http)
    assert await refused(http, tools=[]) == "200"
    assert await refused(http, tools=[{"googleSearch": {}}]) == "200"


async def test_the_same_name_twice_and_a_choice_without_functions(http: httpx.AsyncClient) -> None:
    assert "Duplicate function" in await refused(http, tools=[{"functionDeclarations": [DECLARED, DECLARED]}])
    forced = {"functionCallingConfig": {"mode": "ANY"}}
    assert "without function_declarations" in await refused(http, tools=[], toolConfig=forced)
