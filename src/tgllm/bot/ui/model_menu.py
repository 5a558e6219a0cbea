"""Model picker: providers, pages of models, and search results."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.bot.ui.keyboards import MARK, PAGE, Button, Menu, Page, page_of, pager
from tgllm.bot.ui.model_words import model_details, model_name, model_title
from tgllm.db.tables.models import Model
from tgllm.i18n import Catalogue
from tgllm.services.common.text import clip
from tgllm.services.models.choices import ModelChoices, choice_key
from tgllm.services.models.pricing import Prices
from tgllm.services.models.registry import ProviderStatus

__all__ = ["CHOOSE", "DEFAULT", "FIND", "HOME", "LIST", "MOST_QUERY", "ModelMenus"]

HOME = "models"
"""First word of the data of the button that shows the providers; a page's number follows."""
LIST = "model_list"
"""The same for the models of a provider; the provider's key and a page's number follow."""
FIND = "model_find"
"""The same for search results; a page's number and the search text follow."""
CHOOSE = "model_set"
"""The same for choosing a model; its key follows, or ``DEFAULT``."""
DEFAULT = "default"
MOST_REASON = 200
"""Most UTF-16 units of the reason why a provider can't be used."""
MOST_QUERY = 40
"""Most bytes of a search text: it must fit into a button that turns pages."""


@dataclass(frozen=True, slots=True)
class ModelMenus:
    """Builds the picker's messages for one user, from the current state."""

    choices: ModelChoices
    prices: Prices
    texts: Catalogue
    language: str
    show_locked: bool = False
    """Whether to list providers that can't be used and what they lack: for admins."""

    def home(self, number: int = 0) -> Menu:
        """Return the menu of the providers, or of the models if only one provider has any."""
        ready = self.choices.ready
        if len(ready) == 1 and number == 0:
            return self.of_provider(ready[0], 0, alone=True)
        page = page_of(ready, number)
        rows = [[self._provider(provider)] for provider in page.items]
        text = self._text(self._say("model_list.in_use", model=self._in_use()), self._say("model_list.choose_provider"))
        return Menu(text, [*rows, *pager(page, lambda to: f"{HOME}:{to}"), *self._default_row()])

    def of_provider(self, provider: ProviderStatus, number: int, *, alone: bool = False) -> Menu:
        """Return a page of a provider's models; ``alone`` if there is no other provider to go back to."""
        page = page_of(self.choices.of_provider(provider.id), number)
        turn = pager(page, lambda to: f"{LIST}:{choice_key(provider.id)}:{to}")
        back = self._default_row() if alone else [[Button(self._say("model_list.back"), HOME)]]
        head = self._say("model_list.of_provider", provider=provider.title or provider.id)
        return Menu(self._list(head, page, locked=alone), [*self._buttons(page), *turn, *back])

    def found(self, query: str, number: int) -> Menu | None:
        """Return a page of the models that match a text; None if none does."""
        found = self.choices.search(query)
        if not found:
            return None
        page = page_of(found, number)
        head = self._say("model_list.found", count=len(found), query=query)
        turn = pager(page, lambda to: f"{FIND}:{to}:{query}")
        return Menu(self._list(head, page), [*self._buttons(page), *turn, [Button(self._say("model_list.all"), HOME)]])

    def chosen(self, model: Model) -> Menu:
        """Return the confirmation of a chosen model; a button leads back to its page in the list."""
        siblings = self.choices.of_provider(model.provider)
        data = f"{LIST}:{choice_key(model.provider)}:{siblings.index(model) // PAGE}"
        text = self._text(self._say("model_list.chosen", model=model_name(model)), self._details(model))
        return Menu(text, [[Button(self._say("model_list.change"), data)]])

    def chosen_default(self) -> Menu:
        """Return the confirmation that the default model answers again."""
        text = self._say("model_list.chosen_default", model=str(self.choices.default))
        return Menu(text, [[Button(self._say("model_list.change"), HOME)]])

    def _list(self, head: str, page: Page[Model], *, locked: bool = True) -> str:
        lines = [self.line(model) for model in page.items]
        return self._text(head, "\n".join(lines), locked=locked)

    def line(self, model: Model) -> str:
        """Return a line with a model's name and details."""
        return ": ".join(piece for piece in (model_name(model), self._details(model)) if piece)

    def _buttons(self, page: Page[Model]) -> Sequence[Sequence[Button]]:
        return [[Button(self._mark(model) + model_title(model), _choose(model))] for model in page.items]

    def _mark(self, model: Model) -> str:
        in_use = self.choices.model(self.choices.in_use.ref)
        return MARK if in_use is not None and in_use.ref == model.ref else ""

    def _provider(self, provider: ProviderStatus) -> Button:
        mark = MARK if provider.id == self.choices.in_use.ref.provider else ""
        count = len(self.choices.of_provider(provider.id))
        return Button(f"{mark}{provider.title or provider.id} ({count})", f"{LIST}:{choice_key(provider.id)}:0")

    def _default_row(self) -> Sequence[Sequence[Button]]:
        if self.choices.chosen is None:
            return ()
        label = self._say("model_list.use_default", model=str(self.choices.default))
        return ([Button(label, f"{CHOOSE}:{DEFAULT}")],)

    def _in_use(self) -> str:
        known = self.choices.model(self.choices.in_use.ref)
        return str(self.choices.in_use.ref) if known is None else self.line(known)

    def _text(self, *pieces: str, locked: bool = True) -> str:
        lines = [self._locked(provider) for provider in self.choices.providers if provider.state != "ready"]
        shown = [*pieces, "\n".join(lines)] if locked and self.show_locked else pieces
        return "\n\n".join(piece for piece in shown if piece)

    def _locked(self, provider: ProviderStatus) -> str:
        title = provider.title or provider.id
        if provider.variable is not None:
            return self._say("model_list.locked_key", provider=title, variable=provider.variable)
        return self._say("model_list.locked", provider=title, reason=clip(provider.reason, MOST_REASON))

    def _details(self, model: Model) -> str:
        return model_details(model, self.prices, self.texts, self.language)

    def _say(self, key: str, **params: object) -> str:
        return self.texts(key, self.language, **params)


def _choose(model: Model) -> str:
    return f"{CHOOSE}:{choice_key(str(model.ref))}"
