"""Checks of ``tgllm doctor``."""

from collections.abc import Iterator, Sequence

from tgllm.api.context import Check
from tgllm.api.errors import NotConfigured
from tgllm.providers.proxies import proxy_check
from tgllm_openai.services import ServiceSetup, offered
from tgllm_openai.settings import Settings

__all__ = ["checks"]


def checks(settings: Settings) -> Sequence[Check]:
    """Return the checks of all services, without requests."""
    return [check for setup in offered(settings).values() for check in _checks(setup)]


def _checks(setup: ServiceSetup) -> Iterator[Check]:
    try:
        setup.check()
    except NotConfigured as error:
        yield Check(f"{setup.title}: key", "not configured", str(error))
        return
    if setup.key:
        yield Check(f"{setup.title}: key", "ok")
    elif not setup.preset.local:
        yield Check(f"{setup.title}: key", "ok", "none is set, and none is needed")
    if not setup.preset.local:
        proxy = setup.settings.proxy
        yield proxy_check(setup.title, setup.base_url, proxy.get_secret_value() if proxy else None)
