"""Reports of errors of providers: to the log, to the admins, and as the code that the person reads."""

from contextlib import suppress

from tgllm.api import BadResponse, DatabaseError, ModelRef, ProviderError, TgllmError, TurnInfo, Unavailable
from tgllm.db.tables.usage import Spent
from tgllm.services.conversations.turn import TurnOutcome
from tgllm.services.turns.report import PROVIDER_BROKEN, turn_fields
from tgllm.services.turns.request_record import spent_of
from tgllm.services.turns.services import TurnServices
from tgllm.services.usage.accounting import Accounting

__all__ = ["Problems"]


class Problems:
    """Reports errors of providers."""

    def __init__(self, services: TurnServices, accounting: Accounting) -> None:
        self._database, self._host, self._errors = services.database, services.host, services.errors
        self._account_alerts = services.account_alerts
        self._accounting = accounting

    async def note(self, info: TurnInfo, outcome: TurnOutcome) -> None:
        """Report the error of a model in whose place another one is asked."""
        await self.report_broken(info, outcome)
        await self.warn(info.model, outcome.error)

    async def report_broken(self, info: TurnInfo, outcome: TurnOutcome) -> None:
        """Report an error that is a mistake in a provider; its text then has the code."""
        error = outcome.error
        if error is None or error.code != PROVIDER_BROKEN:
            return
        fields = turn_fields(info, outcome, await self._spent(outcome)) | {"user": info.user.id, "code": error.code}
        cause, plugin = error.__cause__ or error, self._plugin_of(outcome.model)
        code = self._errors.report(cause, event="turn.crashed", plugin=plugin, **fields)
        # A plugin's own class may have parameters that can't be set.
        with suppress(AttributeError):
            error.params = {**error.params, "error_id": code}
        # Before the person reads the code.
        await self._errors.settle()

    async def warn(self, model: ModelRef, error: TgllmError | None) -> None:
        """Count an error that is none of the question, and alert the admins to one with a provider account.

        Raises:
            DatabaseError: the alert can't be stored.
        """
        if error is None:
            return
        if isinstance(error, BadResponse | Unavailable) or type(error) is ProviderError:
            self._note_failing(model, error)
        if self._account_alerts is not None:
            await self._account_alerts.note(model.provider, error)

    def _note_failing(self, model: ModelRef, error: TgllmError) -> None:
        if error.code != PROVIDER_BROKEN:
            self._errors.warn(error, event="turn.failed", plugin=self._plugin_of(model))

    async def _spent(self, outcome: TurnOutcome) -> Spent | None:
        """Return what the turn will have cost once it is stored; None if that can't be read."""
        with suppress(DatabaseError):
            return await self._database.read(lambda conn: spent_of(conn, outcome, self._accounting))
        return None

    def _plugin_of(self, model: ModelRef) -> str | None:
        return next((owned.plugin_id for owned in self._host.providers if owned.spec.id == model.provider), None)
