"""``python -m tgllm.testing.emulator``: the server in its own process.

Prints one line of JSON (base_url, token, page_url, control_key) and serves until SIGINT or SIGTERM.
"""

import argparse
import asyncio
import json
import signal
import sys

from tgllm.api.clock import SystemClock
from tgllm.testing.emulator.emulator import Emulator
from tgllm.testing.emulator.limits.rates import RateLimits
from tgllm.testing.emulator.state.bots import new_token

__all__ = ["main"]


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tgllm.testing.emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--token", help="token of the bot; a random one by default")
    parser.add_argument("--username", default="demo_bot", help="user name of the bot")
    parser.add_argument("--user", action="append", default=[], help="first name of a user; may be repeated")
    parser.add_argument("--rates", action="store_true", help="apply Telegram's sending rates")
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    limits = RateLimits() if arguments.rates else None
    clock = SystemClock()
    emulator = Emulator(
        clock=clock,
        port=arguments.port,
        token=new_token() if arguments.token is None else arguments.token,
        username=arguments.username,
        rate_limits=limits,
        # Larger than the ids of earlier processes, so that a bot that knows those does not skip these as duplicates.
        first_update_id=int(clock.now()),
    )
    for first_name in arguments.user:
        emulator.add_user(first_name=first_name).private_chat()
    async with emulator:
        _announce(emulator)
        await stopped.wait()


def _announce(emulator: Emulator) -> None:
    line = {
        "base_url": emulator.base_url,
        "token": emulator.token,
        "page_url": emulator.page_url,
        "control_key": emulator.control_key,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main(argv: list[str] | None = None) -> None:
    """Serve until a signal arrives; exit with status 2 for an invalid token or a port that can't be bound."""
    try:
        asyncio.run(_serve(_arguments(argv)))
    except (ValueError, OverflowError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
