"""Errors of an API: what they look like on the wire, and the kinds that every API has."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Errors", "FakeError", "Refusal"]


@dataclass(frozen=True, slots=True, eq=False)
class FakeError:
    """An error answer. A string as ``body`` is sent as it is, anything else as JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content_type: str = "application/json"

    @property
    def content(self) -> bytes:
        """The body as sent."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()

    @classmethod
    def html(cls, status: int = 502) -> "FakeError":
        """The page of a proxy in front of the API."""
        page = f"<html><head><title>{status}</title></head><body><h1>{status} Bad Gateway</h1></body></html>"
        return cls(status, page, content_type="text/html")


class Refusal(Exception):
    """Ends the handling of a request with an error answer."""

    def __init__(self, error: FakeError) -> None:
        super().__init__(f"answered with {error.status}")
        self.error = error


class Errors(ABC):
    """One API's bodies for the kinds of error that all of them have."""

    @abstractmethod
    def wrong_key(self, given: str) -> FakeError:
        """The key is not known; ``given`` is what the client sent."""

    @abstractmethod
    def rate_limited(self, seconds: float | None = None) -> FakeError:
        """Too many requests; ``seconds`` is the wait that is asked for, if any."""

    @abstractmethod
    def out_of_quota(self) -> FakeError:
        """The account's quota or credit is used up; waiting a little does not help."""

    @abstractmethod
    def unknown_model(self, model: str) -> FakeError:
        """There is no such model."""

    @abstractmethod
    def too_long(self, tokens: int, limit: int) -> FakeError:
        """The conversation has ``tokens``, the model's window ``limit``."""

    @abstractmethod
    def overloaded(self) -> FakeError:
        """Nothing is free at the moment."""

    @abstractmethod
    def internal(self) -> FakeError:
        """The server failed."""

    @abstractmethod
    def invalid(self, message: str) -> FakeError:
        """The request is wrong; ``message`` says how."""

    @abstractmethod
    def not_found(self, what: str) -> FakeError:
        """There is no such path, file or the like."""
