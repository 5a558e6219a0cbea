"""Load test of a bot: turns per second, and costs per turn."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.load.seed import seed_turns
from benchmarks.process import Program, start
from benchmarks.words import ANSWER, QUESTION

__all__ = ["BOTS", "QUIET_SECONDS", "UNSYNCED", "Figures", "figures_of", "measure", "median", "talk_to", "variables_of"]

UNSYNCED = "tgllm, synchronous OFF"
"""tgllm with commits that do not wait for the disk: the difference to tgllm is what durability costs."""

BOTS: Mapping[str, Sequence[str]] = {
    "echo": ("benchmarks.echo_bot",),
    "floor": ("benchmarks.floor_bot",),
    "tgllm": ("tgllm", "run"),
    "tgllm, same client": ("tgllm", "run"),
    UNSYNCED: ("benchmarks.load.unsynced", "run"),
}
"""Commands of the compared bots: an aiogram echo bot, a bare aiogram bot with a model, and tgllm three times."""

_PROVIDERS = {"tgllm": "benchmark", "tgllm, same client": "floor", UNSYNCED: "benchmark"}
"""Provider of tgllm: one made with ``tgllm.providers``, or one with the bare bot's client."""


QUIET_SECONDS = 0.5
"""After the warm-up, time without calls of the bot: tgllm has published the menus of all users, who are its admins."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Results of a round."""

    turns_per_second: float
    cpu_ms: float
    """Processor time of the bot's process per turn, in milliseconds."""
    calls: float
    """Bot API calls per turn, without getUpdates."""
    polls: float
    """getUpdates calls per turn."""
    p50_ms: float
    p95_ms: float
    p99_ms: float
    peak_mib: float
    """Peak memory of the bot's process, in MiB."""
    telegram_busy: float
    """CPU utilization of the emulator process, with the users in it; near 1, it is the bottleneck."""
    model_busy: float
    """CPU utilization of the model server."""


def measure(
    bot: str, *, parallel: int, turns: int, warm_up: int, talk: int, earlier: int = 0, rate: float = 0
) -> Figures:
    """Run a bot with new servers and a new database.

    Args:
        bot: a key of ``BOTS``.
        parallel: number of users that wait for an answer at the same time; a user waits for one at a time.
        turns: number of counted messages.
        warm_up: number of messages before those.
        talk: total messages of each user, so that the last turn has a history of ``2 * talk - 2`` messages.
        earlier: turns that each user's conversation has before the bot starts; not for the bare bots.
        rate: messages a second, sent at regular intervals; 0: a user sends the next one after an answer.
    """
    people = max(parallel, math.ceil((turns + warm_up) / talk))
    with TemporaryDirectory(prefix="tgllm-benchmark-") as folder:
        log = Path(folder) / "log"
        with (
            start("benchmarks.telegram", "--people", str(people), "--parallel", str(parallel), log=log) as telegram,
            start("benchmarks.model_server", log=log) as model,
        ):
            server = telegram.receive()
            variables = variables_of(bot, server, model.receive()["url"], folder, parallel)
            if earlier:
                seed_turns(Path(folder), server["user_ids"], earlier)
            module, *args = BOTS[bot]
            with start(module, *args, log=log, variables=variables) as program:
                answer = QUESTION if bot == "echo" else ANSWER
                talk_to(telegram, warm_up, answer, 0)
                telegram.send(json.dumps({"quiet": {"seconds": QUIET_SECONDS}}))
                telegram.receive()
                program_before, model_before = program.cpu_ms(), model.cpu_ms()
                result = talk_to(telegram, turns, answer, rate)
                return figures_of(
                    result, program.cpu_ms() - program_before, model.cpu_ms() - model_before, program.peak_mib()
                )


def variables_of(bot: str, server: Mapping[str, Any], model_url: str, folder: str, parallel: int) -> dict[str, str]:
    """Return the environment of a bot: the server of Telegram, the model and the data folder."""
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


def talk_to(telegram: Program, turns: int, answer: str, rate: float = 0) -> dict[str, Any]:
    """Have people send so many messages, and return when and how they were answered."""
    telegram.send(json.dumps({"turns": turns, "answer": answer, "rate": rate}))
    return telegram.receive()


def figures_of(result: dict[str, Any], program_cpu_ms: float, model_cpu_ms: float, peak_mib: float) -> Figures:
    """Return the figures of a round, from what ``talk_to`` returned and from the processes."""
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
        p99_ms=statistics.quantiles(latencies, n=100)[-1],
        peak_mib=peak_mib,
        telegram_busy=result["telegram_cpu"] / seconds,
        model_busy=model_cpu_ms / 1000 / seconds,
    )


def median(rounds: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    rows = [asdict(figures) for figures in rounds]
    return Figures(**{name: statistics.median(row[name] for row in rows) for name in rows[0]})
