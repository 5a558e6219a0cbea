"""The end of the export does not wait for a receiver that does not answer."""

import threading

import pytest

from tgllm.observe.tracing import export


class HangingProvider:
    """Tracer provider whose end waits for a receiver."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.thread: threading.Thread | None = None

    def get_tracer(self, *_: str) -> None:
        return None

    def shutdown(self) -> None:
        self.thread = threading.current_thread()
        self.answers.wait()


class FailingProvider(HangingProvider):
    def shutdown(self) -> None:
        super().shutdown()
        raise OSError("no network")


@pytest.mark.parametrize("kind", [HangingProvider, FailingProvider])
async def test_a_receiver_that_hangs_or_fails_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch, kind: type[HangingProvider]
) -> None:
    provider = kind()
    monkeypatch.setattr(export, "_provider", lambda _endpoint: provider)
    monkeypatch.setattr(export, "_Tracer", lambda given: given)
    monkeypatch.setattr(export, "_STOP_SECONDS", 0.2)

    async with export.exported_traces(None):
        pass

    thread = provider.thread
    assert thread is not None
    assert thread.is_alive()
    # The interpreter and the loop wait for other threads at their end.
    assert thread.daemon
    provider.answers.set()
    thread.join()


async def test_the_end_waits_for_a_receiver_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = HangingProvider()
    provider.answers.set()
    monkeypatch.setattr(export, "_provider", lambda _endpoint: provider)
    monkeypatch.setattr(export, "_Tracer", lambda given: given)
    monkeypatch.setattr(export, "_STOP_SECONDS", 60.0)

    async with export.exported_traces(None):
        pass

    thread = provider.thread
    assert thread is not None
    thread.join()
