"""The child as the provider starts it, with a module that stands in for xllamacpp."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llama_support import write_model, write_xllamacpp
from tgllm.api import ModelNotFound, ProviderError, Unavailable
from tgllm_local.process import Order, model_process

BROKEN = "llama_model_load: error loading model: llama_model_loader: tensor 'x' is incomplete"


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Order:
    monkeypatch.setenv("PYTHONPATH", str(write_xllamacpp(tmp_path / "stub")))
    path = write_model(tmp_path / "tiny.gguf")
    return Order("tiny", str(path), "s3cret-of-the-child", 2048, 3, 2)


@pytest.fixture
def behave(order: Order) -> Callable[[str], None]:
    """Sets code that runs while the model is loaded."""
    return lambda code: Path(order.path).with_suffix(".py").write_text(code) and None


def seen(order: Order) -> Any:
    return json.loads(Path(order.path).with_suffix(".seen").read_text())


async def test_it_serves_what_it_was_ordered(order: Order) -> None:
    async with model_process(order, 60) as process:
        assert process.base_url == "http://127.0.0.1:9"
        assert not process.ended
        assert await process.death() is None

    assert process.ended
    parameters = seen(order)["parameters"]
    assert parameters["model"] == {"path": order.path}
    assert parameters["n_ctx"] == 2048 * 3
    assert parameters["n_parallel"] == 3
    assert parameters["cpuparams"] == {"n_threads": 2}
    assert parameters["hostnames"] == ["127.0.0.1"]
    assert parameters["api_keys"] == ["s3cret-of-the-child"]


async def test_it_gets_no_secrets_of_the_bot(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_BOT_TOKEN", "123:the-token")
    monkeypatch.setenv("GEMINI_API_KEY", "the-key")

    async with model_process(order, 60):
        pass

    environ = seen(order)["environ"]
    assert not {"TGLLM_BOT_TOKEN", "GEMINI_API_KEY"} & environ.keys()
    assert "s3cret" not in json.dumps(environ)


async def test_the_current_folder_is_not_searched(order: Order) -> None:
    async with model_process(order, 60):
        pass

    assert not {"", str(Path.cwd())} & set(seen(order)["path"])


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (f"print({BROKEN!r}, file=sys.stderr); raise RuntimeError('check the input')", ModelNotFound, "is incomplete"),
        ("raise RuntimeError('something else')", ProviderError, "something else"),
        ("print('E: failed to allocate buffer', file=sys.stderr); raise RuntimeError('x')", ProviderError, "memory"),
        ("raise MemoryError('std::bad_alloc')", ProviderError, "memory"),
        ("os.kill(os.getpid(), signal.SIGKILL)", ProviderError, "memory"),
        ("os.abort()", Unavailable, "SIGABRT"),
        ("os._exit(3)", Unavailable, "exit code 3"),
    ],
)  # fmt: skip
async def test_a_load_that_fails_says_why(
    order: Order, behave: Callable[[str], None], code: str, kind: type[ProviderError], words: str
) -> None:
    behave(code)

    with pytest.raises(kind, match=words):
        async with model_process(order, 60):
            pass


async def test_an_unknown_python_error_of_the_child_is_told(order: Order, tmp_path: Path) -> None:
    (tmp_path / "stub" / "xllamacpp.py").write_text("raise ImportError('libgomp.so.1: cannot open shared object')")

    with pytest.raises(ProviderError, match=r"ImportError: libgomp\.so\.1"):
        async with model_process(order, 60):
            pass


async def test_a_load_that_does_not_end_is_unavailable(order: Order, behave: Callable[[str], None]) -> None:
    behave("time.sleep(600)")

    with pytest.raises(Unavailable, match="load_seconds"):
        async with model_process(order, 0.5):
            pass


async def test_cancellation_ends_a_child_that_loads(order: Order, behave: Callable[[str], None]) -> None:
    behave("time.sleep(600)")

    async def load() -> None:
        async with model_process(order, 60):
            pass

    task = asyncio.create_task(load())
    pid = await until(lambda: seen(order)["pid"])
    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
    assert not is_alive(pid)


async def test_much_output_does_not_block_it(order: Order, behave: Callable[[str], None]) -> None:
    behave("sys.stderr.write('x' * 5_000_000)")

    async with model_process(order, 60) as process:
        assert not process.ended


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
async def test_a_death_is_explained(order: Order, number: signal.Signals) -> None:
    async with model_process(order, 60) as process:
        os.kill(process.pid, number)
        death = await until(process.death)

    assert ("memory runs out" if number == signal.SIGKILL else number.name) in str(death)


async def test_ctrl_c_in_the_terminal_is_left_to_the_bot(order: Order) -> None:
    async with model_process(order, 60) as process:
        assert os.getsid(process.pid) != os.getsid(0)
        os.kill(process.pid, signal.SIGINT)
        assert await process.death() is None


@pytest.mark.parametrize("code", ["", "print('loading', flush=True); time.sleep(600)"], ids=["loaded", "loading"])
async def test_a_bot_that_is_killed_leaves_no_orphan(order: Order, behave: Callable[[str], None], code: str) -> None:
    behave(code)
    program = (
        "import asyncio, sys\n"
        "from tgllm_local.process import Order, model_process\n"
        "async def main():\n"
        f"    async with model_process({order!r}, 60):\n"
        "        await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    bot = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    try:
        pid = await until(lambda: seen(order)["pid"])
    finally:
        bot.kill()
        await bot.wait()

    await until(lambda: not is_alive(pid))


async def until(look: Callable[[], Any]) -> Any:
    """The first true value that a function returns; until then it may also fail."""
    async with asyncio.timeout(60):
        while True:
            try:
                found = look()
                if asyncio.iscoroutine(found):
                    found = await found
            except (FileNotFoundError, ValueError):
                found = None
            if found:
                return found
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended, and that its new parent has not noticed yet.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
