"""Log lines, metrics and spans of turns and of their requests to models; without any text of people or models."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from tgllm.api import ModelRef, TgllmError, TurnInfo
from tgllm.api.clock import Clock
from tgllm.db.tables.usage import Spent
from tgllm.observe.errors import text_of
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics import table
from tgllm.observe.tracing.spans import span
from tgllm.services.conversations.turn import TurnOutcome, TurnStatus
from tgllm.services.turns.answer import Answer
from tgllm.services.turns.running import RunningTurn
from tgllm.services.turns.token_count import counted

__all__ = ["PROVIDER_BROKEN", "count_usage", "report_begin", "report_turn", "reported_request", "turn_fields"]

log = get_logger(__name__)

_WELL_KNOWN: Final = {"gemini": "gcp.gemini", "mistral": "mistral_ai", "dipseek": "deepseek"}
"""Names of OpenTelemetry for providers, by id. Source: its registry, gen_ai.provider.name."""

PROVIDER_BROKEN: Final = "provider_broken"
"""Code of the error that stands for an exception outside of the provider contract."""


def report_begin(info: TurnInfo) -> None:
    """Log the start of a turn."""
    log.info("turn.began", turn=info.id, provider=info.model.provider, model=str(info.model))


def report_turn(info: TurnInfo, outcome: TurnOutcome, spent: Spent | None, waited: float = 0.0) -> None:
    """Log and count a turn that ended.

    Args:
        info: the turn, with the model that was asked last.
        outcome: result of the turn.
        spent: what was stored of its usage.
        waited: seconds before that model was asked.
    """
    table.TURNS.add(outcome.status)
    table.TURN_SECONDS.observe(outcome.seconds + waited)
    if outcome.first_token_seconds is not None:
        table.FIRST_TOKEN.observe(outcome.first_token_seconds + waited, info.model.provider)
    count_usage(info.model, spent)
    values = turn_fields(info, outcome, spent)
    if outcome.error is not None and outcome.error.code == PROVIDER_BROKEN:
        # A fault, which has a line of its own: turn.crashed.
        return
    if outcome.error is not None:
        log.warning("turn.failed", **values, code=outcome.error.code, error=text_of(outcome.error))
        return
    first = outcome.first_token_seconds
    log.info("turn.answered", **values, first_token_seconds=None if first is None else round(first, 3))


def turn_fields(info: TurnInfo, outcome: TurnOutcome, spent: Spent | None) -> dict[str, object]:
    """Return the fields that every line about the end of a turn has."""
    values: dict[str, object] = {
        "turn": info.id,
        "provider": info.model.provider,
        "model": str(info.model),
        "status": outcome.status,
        "seconds": round(outcome.seconds, 3),
    }
    if spent is not None:
        values |= {"input_tokens": spent.input_tokens, "output_tokens": spent.output_tokens}
        values["cost_usd"] = None if spent.cost_micros is None else spent.cost_micros / 1_000_000
    return values


def count_usage(model: ModelRef, spent: Spent | None) -> None:
    """Count tokens and cost as they were stored."""
    if spent is None:
        return
    table.TOKENS.add(model.provider, model.model, "input", amount=spent.input_tokens or 0)
    table.TOKENS.add(model.provider, model.model, "output", amount=spent.output_tokens or 0)
    if spent.cost_micros is not None:
        table.COST.add(model.provider, model.model, amount=spent.cost_micros / 1_000_000)


@contextmanager
def reported_request(answer: Answer, handle: RunningTurn, clock: Clock, number: int) -> Generator[None]:
    """Log, count and trace the request that is made in the block.

    Args:
        answer: collects its events.
        handle: whose cause says why the request was stopped.
        clock: measures it.
        number: 1 for the first request of a turn.
    """
    model, began = answer.model, clock.monotonic()
    outcome: TurnStatus = "ok"
    code: str | None = None
    known = _WELL_KNOWN.get(model.provider, model.provider)
    names = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": known, "gen_ai.request.model": model.model}
    # A stop by a person, by a limit or by the shutdown reaches the request as TimeoutError.
    with span(f"chat {model.model}", "client", names, harmless=(TimeoutError,)) as opened:
        try:
            yield
        except TgllmError as error:
            outcome, code = "failed", error.code
            raise
        except TimeoutError:
            outcome = "ok" if handle.cause == "length" else "interrupted" if handle.cause == "shutdown" else "stopped"
            raise
        except BaseException:
            outcome = "interrupted"
            raise
        finally:
            usage, seconds = counted(answer.usage), clock.monotonic() - began
            table.PROVIDER_REQUESTS.add(model.provider, model.model, outcome)
            table.PROVIDER_SECONDS.observe(seconds, model.provider)
            if code is not None:
                table.PROVIDER_ERRORS.add(model.provider, code)
            opened.set(
                gen_ai__usage__input_tokens=usage.input_tokens,
                gen_ai__usage__output_tokens=usage.output_tokens,
                tgllm__request__outcome=outcome,
            )
            log.info(
                "request.ended",
                turn=handle.turn.id,
                request=number,
                provider=model.provider,
                model=str(model),
                outcome=outcome,
                code=code,
                duration_ms=round(seconds * 1000),
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
            )
