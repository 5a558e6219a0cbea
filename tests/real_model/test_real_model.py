"""A real language model, small as it is, answers through the whole bot."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from plugin_support import write_distribution
from tgllm.api import ContextTooLong
from tgllm.api.clock import SystemClock
from tgllm.testing.asking import failure, hear, question
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.making import provider_maker

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".venv-real-model" / "bin" / "python"
QUESTION = "What is the capital of France? Answer in one short sentence."
START_SECONDS = 120
ANSWER_SECONDS = 120

pytestmark = pytest.mark.real_model


@dataclass(frozen=True, slots=True)
class ModelServer:
    base_url: str
    model: str
    pid: int

    @property
    def peak_megabytes(self) -> int:
        """The most memory that it has had. Source: proc(5), VmHWM, in units of 1024 bytes."""
        status = Path(f"/proc/{self.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), 0)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    assert PYTHON.exists(), "the model's environment is missing: run make test-real-model"
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        HERE / "serve.py",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
        assert line, "the model server ended before it served: run tests/real_model/serve.py to see why"
        yield ModelServer(**json.loads(line), pid=process.pid)
    finally:
        process.kill()
        await process.communicate()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH in which the plugin beside this file is installed as pip would do it."""
    source = (HERE / "plugin" / "tgllm_exact.py").read_text(encoding="utf-8")
    write_distribution(tmp_path / "site", "tgllm-exact", {"tgllm": {"exact": "tgllm_exact"}}, {"tgllm_exact": source})
    return tmp_path / "site"


async def test_a_real_model_answers_through_the_whole_bot(
    emu: Emulator,
    server: ModelServer,
    site: Path,
    launch: Callable[..., Awaitable[Any]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ann, bob = (emu.add_user(first_name=name, language_code="en") for name in ("Ann", "Bob"))
    bot = await launch(
        "run",
        TGLLM_ADMIN_IDS=f"{ann.id},{bob.id}",
        TGLLM_DEFAULT_MODEL=f"llama_cpp/{server.model}",
        TGLLM_PLUGINS__OPENAI__SERVICES__LLAMA_CPP__BASE_URL=server.base_url,
        PYTHONPATH=str(site),
    )

    answer, again = [(await answer_to(emu, user)).text for user in (ann, bob)]
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()

    assert code == 0, printed
    assert "plugin.not_active" not in printed
    assert "Paris" in answer
    assert again == answer
    drafts = [call.params.get("text", "") for call in emu.journal.of("sendMessageDraft", chat_id=ann.id)]
    pieces = {draft for draft in drafts if draft and answer.startswith(draft)}
    assert len(pieces) >= 2, drafts
    requests = await rows(tmp_path / "data" / "tgllm.db")
    assert len(requests) == 2
    for request in requests:
        assert request["status"] == "ok"
        assert request["input_tokens"] > 0
        assert request["output_tokens"] > 0
    with capsys.disabled():
        report = f"{server.model} said {answer!r}: {measured(requests[0])}, {server.peak_megabytes} MB at most"
        sys.stdout.write(f"\n{report}\n")


async def test_the_server_tells_its_window_and_refuses_what_is_too_long(server: ModelServer) -> None:
    services = {"llama_cpp": {"base_url": server.base_url}}
    async with provider_maker("tgllm_openai.plugin", clock=SystemClock(), services=services) as make:
        provider = await make()
        (model,) = await provider.list_models()
        short = question(server.model, "Say hello.", max_output_tokens=4, temperature=0.0)
        heard = await hear(provider, short, seconds=ANSWER_SECONDS)
        long = await failure(provider, question(server.model, "word " * 5000), seconds=ANSWER_SECONDS)

    assert model.id == server.model
    assert model.context_window is not None
    assert 0 < model.context_window <= 2048
    assert not model.supports_files
    assert heard.text.strip()
    assert (heard.finished.reason, heard.finished.usage.output_tokens) == ("length", 4)
    assert type(long) is ContextTooLong


async def answer_to(emu: Emulator, user: EmulatedUser) -> EmulatedMessage:
    return await emu.wait_for_message(user.private_chat(), timeout=ANSWER_SECONDS, after=await user.say(QUESTION))


async def rows(database: Path) -> list[dict[str, Any]]:
    async with aiosqlite.connect(database) as conn:
        conn.row_factory = aiosqlite.Row
        return [dict(row) for row in await conn.execute_fetchall("SELECT * FROM requests ORDER BY id")]


def measured(request: dict[str, Any]) -> str:
    seconds = (request["latency_ms"] - request["first_token_ms"]) / 1000
    pace = (request["output_tokens"] - 1) / seconds if seconds else 0
    first = request["first_token_ms"] / 1000
    counted = f"{request['input_tokens']} tokens in and {request['output_tokens']} out"
    return f"{counted}, the first after {first:.1f} s, then {pace:.1f} tokens/s"
