"""aiohttp, whose default TLS contexts load their certificates when the first connection uses them.

aiohttp makes two such contexts when it is imported, and the sets of certificates take a tenth of the CPU of the bot's
start. The connections to Telegram and of ``tgllm.providers`` have contexts of their own; only plugins use the others.
"""

import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, cast

__all__ = ["aiohttp", "late_certificates"]

_LOADERS: Final = ("load_default_certs", "set_default_verify_paths", "load_verify_locations")


class _LateContext(ssl.SSLContext):
    """Context that is completed when it is used, and from then on is an ordinary one."""

    left: list[Callable[[], object]]
    """What loads its certificates."""

    def complete(self) -> Any:  # noqa: ANN401  as SSLContext has it
        for load in self.left:
            load()
        self.left = []
        context: Any = self
        context.__class__ = ssl.SSLContext
        return context

    # The signatures are those of SSLContext.

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:  # noqa: ANN401  as SSLContext has it
        return self.complete().wrap_bio(*args, **kwargs)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:  # noqa: ANN401  as SSLContext has it
        return self.complete().wrap_socket(*args, **kwargs)

    def get_ca_certs(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  as SSLContext has it
        return self.complete().get_ca_certs(*args, **kwargs)

    def cert_store_stats(self) -> dict[str, int]:
        return self.complete().cert_store_stats()


@contextmanager
def late_certificates() -> Generator[None, None, None]:
    """Let the TLS contexts that this thread makes in the block load their certificates when they are used."""
    found: dict[int, tuple[ssl.SSLContext, list[Callable[[], object]]]] = {}
    here = threading.get_ident()
    own = {name: vars(ssl.SSLContext).get(name) for name in _LOADERS}

    def later(name: str) -> Callable[..., object]:
        load: Callable[..., object] = getattr(ssl.SSLContext, name)

        def note(context: ssl.SSLContext, *args: object, **kwargs: object) -> object:
            if threading.get_ident() != here:
                return load(context, *args, **kwargs)
            _, left = found.setdefault(id(context), (context, []))
            left.append(lambda: load(context, *args, **kwargs))
            return None

        return note

    for name, note in {name: later(name) for name in _LOADERS}.items():
        setattr(ssl.SSLContext, name, note)
    try:
        yield
    finally:
        for name, method in own.items():
            if method is None:
                delattr(ssl.SSLContext, name)
            else:
                setattr(ssl.SSLContext, name, method)
        for context, left in found.values():
            context.__class__ = _LateContext
            cast("_LateContext", context).left = left


with late_certificates():
    import aiohttp
