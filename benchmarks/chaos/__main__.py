"""``python -m benchmarks.chaos``: kills and faults, and what people see of them.

The bot runs as a process between the emulator and a fake model, both over HTTP, and is killed with SIGKILL again and
again while people ask numbered questions, edit them and send files. Then it runs until everything is answered, and the
chats are judged. The same seed gives the same questions, kills and faults; when exactly they meet is up to the machine.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from benchmarks.chaos.people import Habits
from benchmarks.chaos.report import report_text
from benchmarks.chaos.run import Options, run

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Run it and print the report; return 1 if something was lost, repeated, out of order or given up."""
    arguments = _arguments(argv)
    options = Options(
        seed=arguments.seed,
        chats=arguments.chats,
        messages=arguments.messages,
        kills=arguments.kills,
        aimed=arguments.aimed,
        life=arguments.life,
        paced=not arguments.unpaced,
        faults=not arguments.no_faults,
        webhook=arguments.webhook,
        replicas=arguments.replicas,
        lease=arguments.lease,
        patience=arguments.patience,
        habits=Habits(long=arguments.long, files=arguments.files, edits=arguments.edits, tools=arguments.tools),
        folder=arguments.folder,
    )
    report = asyncio.run(run(options))
    print(report_text(report))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report.as_json(), indent=2))
    return 0 if report.is_good else 1


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    usual = Habits()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chats", type=int, default=8, help="chats; a quarter of them are groups")
    parser.add_argument("--messages", type=int, default=20, help="questions of each chat")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--aimed", action="store_true", help="kill at moments that are hard to survive")
    parser.add_argument("--life", type=float, default=4.0, help="longest life of the bot once it is ready, in seconds")
    parser.add_argument("--unpaced", action="store_true", help="without Telegram's rates")
    parser.add_argument("--no-faults", action="store_true", help="without faults of Telegram and of the provider")
    parser.add_argument("--webhook", action="store_true", help="with a webhook instead of polling")
    parser.add_argument("--replicas", type=int, default=0, help="processes on one PostgreSQL; 0: one, on a SQLite file")
    parser.add_argument("--lease", type=float, default=3.0, help="seconds after which a silent replica is given up")
    parser.add_argument("--long", type=float, default=usual.long, help="part of the questions with a long answer")
    parser.add_argument("--files", type=float, default=usual.files, help="part of the questions with a file")
    parser.add_argument("--edits", type=float, default=usual.edits, help="part of the questions that are edited")
    parser.add_argument("--tools", type=float, default=usual.tools, help="part of the questions with a call of a tool")
    parser.add_argument("--patience", type=float, default=300.0, help="seconds to wait for the last answers")
    parser.add_argument("--folder", type=Path, help="an empty folder in which the bot's data and log are kept")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
