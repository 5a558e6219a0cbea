"""OAuth of the SDK, with tokens in the plugin's store."""

from typing import TYPE_CHECKING, TypeVar

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import ValidationError

from tgllm_mcp.signing import SignIn

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tgllm.api.context import KeyValueStore

__all__ = ["oauth"]

_Model = TypeVar("_Model", bound="BaseModel")


class _Stored:
    """Token and registration of one server; those of another address are not used."""

    def __init__(self, store: "KeyValueStore", name: str, url: str) -> None:
        self._store = store
        self._keys = {kind: f"oauth.{name}.{kind}" for kind in ("token", "client")}
        self._url = url

    async def get_tokens(self) -> OAuthToken | None:
        return _read(OAuthToken, await self._store.get(self._keys["token"]), self._url)

    async def set_tokens(self, tokens: OAuthToken) -> None:
        await self._write("token", tokens)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return _read(OAuthClientInformationFull, await self._store.get(self._keys["client"]), self._url)

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        await self._write("client", client_info)

    async def _write(self, kind: str, value: "BaseModel") -> None:
        await self._store.set(self._keys[kind], {"url": self._url, "value": value.model_dump_json(exclude_none=True)})


def _read(kind: "type[_Model]", stored: object, url: str) -> "_Model | None":
    match stored:
        case {"url": str(of), "value": str(value)} if of == url:
            try:
                return kind.model_validate_json(value)
            except ValidationError:
                return None
        case _:
            return None


def oauth(name: str, url: str, redirect: str, store: "KeyValueStore", sign_in: SignIn) -> httpx2.Auth:
    """Return what adds the token to requests, and asks for a sign-in if there is none."""

    async def answer() -> AuthorizationCodeResult:
        code, state, issuer = await sign_in.answer()
        return AuthorizationCodeResult(code=code, state=state, iss=issuer)

    metadata = OAuthClientMetadata.model_validate(
        {
            "client_name": "tgllm",
            "redirect_uris": [redirect],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        }
    )
    return OAuthClientProvider(
        url, metadata, _Stored(store, name, url), redirect_handler=sign_in.show, callback_handler=answer
    )
