"""One bot under load: how many turns a second, and what each of them costs."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.process import Program, start
from benchmarks.words import ANSWER, QUESTION

__all__ = ["BOTS", "Figures", "measure", "median"]

BOTS: Mapping[str, Sequence[str]] = {
    "echo": ("benchmarks.echo_bot",),
    "floor": ("benchmarks.floor_bot",),
    "tgllm": ("tgllm", "run"),
    "tgllm, same client": ("tgllm", "run"),
}
"""The programs that are compared: a bare aiogram echo bot, a bare aiogram bot with a model, and tgllm twice."""

_PROVIDERS = {"tgllm": "benchmark", "tgllm, same client": "floor"}
"""The provider that tgllm asks: one made with ``tgllm.providers``, or one with the bare bot's own client."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured."""

    turns_per_second: float
    cpu_ms: float
    """Processor time of the bot's process for a turn, in milliseconds."""
    calls: float
    """Calls of the Bot API for a turn, without getUpdates."""
    polls: float
    """Calls of getUpdates for a turn."""
    p50_ms: float
    p95_ms: float
    peak_mib: float
    """Most memory of the bot's process, in MiB."""
    telegram_busy: float
    """Share of the time in which the emulator, with the people in it, used a processor; near 1, it is the limit."""
    model_busy: float
    """The same for the model server."""


def measure(bot: str, *, parallel: int, turns: int, warm_up: int, talk: int) -> Figures:
    """Run one bot with fresh servers and a fresh database.

    Args:
        bot: a key of ``BOTS``.
        parallel: people who wait for an answer at the same time; a person waits for one at a time.
        turns: messages that are counted.
        warm_up: messages before those.
        talk: messages of each person in all, so that the last turn has a history of ``2 * talk - 2`` messages.
    """
    people = max(parallel, math.ceil((turns + warm_up) / talk))
    with TemporaryDirectory(prefix="tgllm-benchmark-") as folder:
        log = Path(folder) / "log"
        with (
            start("benchmarks.telegram", "--people", str(people), "--parallel", str(parallel), log=log) as telegram,
            start("benchmarks.model_server", log=log) as model,
        ):
            variables = _variables(bot, telegram.receive(), model.receive()["url"], folder, parallel)
            module, *args = BOTS[bot]
            with start(module, *args, log=log, variables=variables) as program:
                answer = QUESTION if bot == "echo" else ANSWER
                _talk(telegram, warm_up, answer)
                program_before, model_before = program.cpu_ms(), model.cpu_ms()
                result = _talk(telegram, turns, answer)
                return _figures(
                    result, program.cpu_ms() - program_before, model.cpu_ms() - model_before, program.peak_mib()
                )


def _variables(bot: str, server: Mapping[str, Any], model_url: str, folder: str, parallel: int) -> dict[str, str]:
    user_ids: list[int] = server["user_ids"]
    return {
        "BENCHMARK_MODEL_URL": model_url,
        "TGLLM_BOT_TOKEN": str(server["token"]),
        "TGLLM_TELEGRAM_API": str(server["base_url"]),
        "TGLLM_ADMIN_IDS": ",".join(map(str, user_ids)),
        "TGLLM_CONFIG": "",
        "TGLLM_DATA_DIR": folder,
        "TGLLM_DEFAULT_MODEL": f"{_PROVIDERS.get(bot, '')}/model",
        "TGLLM_SENDING__PACED": "false",
        "TGLLM_TURNS__MAX_PARALLEL": str(parallel),
    }


def _talk(telegram: Program, turns: int, answer: str) -> dict[str, Any]:
    telegram.send(json.dumps({"turns": turns, "answer": answer}))
    return telegram.receive()


def _figures(result: dict[str, Any], program_cpu_ms: float, model_cpu_ms: float, peak_mib: float) -> Figures:
    turns, seconds, calls = result["turns"], result["seconds"], result["calls"]
    latencies = [1000 * latency for latency in result["latencies"]]
    polls = calls.pop("getUpdates", 0)
    return Figures(
        turns_per_second=turns / seconds,
        cpu_ms=program_cpu_ms / turns,
        calls=sum(calls.values()) / turns,
        polls=polls / turns,
        p50_ms=statistics.median(latencies),
        p95_ms=statistics.quantiles(latencies, n=20)[-1],
        peak_mib=peak_mib,
        telegram_busy=result["telegram_cpu"] / seconds,
        model_busy=model_cpu_ms / 1000 / seconds,
    )


def median(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    rows = [asdict(figures) for figures in rounds]
    return Figures(**{name: statistics.median(row[name] for row in rows) for name in rows[0]})
