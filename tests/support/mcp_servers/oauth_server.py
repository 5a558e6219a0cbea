"""A server with OAuth, for tests: run as a program with its port. Its sign-in page agrees at once."""

import secrets
import sys
import time
from typing import Any

from mcp.server.auth.provider import AccessToken, AuthorizationCode, construct_redirect_uri
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthToken

port = int(sys.argv[1])
address = f"http://127.0.0.1:{port}"


class Provider:
    """Keeps everything in memory."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.tokens: dict[str, AccessToken] = {}

    async def get_client(self, client_id: str) -> Any:
        return self.clients.get(client_id)

    async def register_client(self, client_info: Any) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: Any, params: Any) -> str:
        code = secrets.token_urlsafe(16)
        self.codes[code] = AuthorizationCode(
            code=code,
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=True,
            resource=params.resource,
        )
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state, iss=address)

    async def load_authorization_code(self, _client: Any, authorization_code: str) -> Any:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(self, client: Any, authorization_code: AuthorizationCode) -> OAuthToken:
        del self.codes[authorization_code.code]
        token = secrets.token_urlsafe(16)
        self.tokens[token] = AccessToken(
            token=token, client_id=client.client_id, scopes=[], resource=authorization_code.resource
        )
        return OAuthToken(access_token=token, expires_in=3600)

    async def load_refresh_token(self, _client: Any, _refresh_token: str) -> None:
        return None

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.tokens.get(token)


server = MCPServer(
    "guarded",
    auth_server_provider=Provider(),  # type: ignore[arg-type]  the part that is used
    auth=AuthSettings(
        issuer_url=address,  # type: ignore[arg-type]  read from a text
        resource_server_url=f"{address}/mcp",  # type: ignore[arg-type]  read from a text
        validate_token_resource=False,
        client_registration_options=ClientRegistrationOptions(enabled=True),
    ),
)


@server.tool()
def treasure() -> str:
    """Return what is guarded."""
    return "gold"


if __name__ == "__main__":
    server.run("streamable-http", host="127.0.0.1", port=port)
