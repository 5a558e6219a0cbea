"""``python -m tgllm.testing.fake_providers mistral``: a fake server in its own process.

Prints one line of JSON (provider, base_url, key) and echoes questions until SIGINT or SIGTERM.
"""

import argparse
import asyncio
import json
import signal
import sys

from tgllm.testing.fake_providers import FakeDipseek, FakeGemini, FakeMistral, FakeOpenAI, FakeServer

__all__ = ["main"]

_FAKES: dict[str, type[FakeServer]] = {
    "dipseek": FakeDipseek,
    "gemini": FakeGemini,
    "mistral": FakeMistral,
    "openai": FakeOpenAI,
}


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tgllm.testing.fake_providers", description=__doc__)
    parser.add_argument("provider", choices=sorted(_FAKES))
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--key", default=None, help="the key that clients have to send")
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    fake = _FAKES[arguments.provider](port=arguments.port, key=arguments.key, write_bytes=None)
    async with fake:
        line = {"provider": arguments.provider, "base_url": fake.base_url, "key": fake.key}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def main(argv: list[str] | None = None) -> None:
    """Serve until a signal arrives."""
    asyncio.run(_serve(_arguments(argv)))


if __name__ == "__main__":
    main()
