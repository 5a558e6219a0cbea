"""Vertex AI, with Google's default credentials: a service account whose sign-in service is on this machine."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tgllm.api import AuthFailed, ChatMessage, ChatRequest, FilePart, NotConfigured, TextDelta, TextPart, Unsupported
from tgllm.testing.fake_providers import FakeGemini
from tgllm_gemini.uploads import INLINE_BYTES

WHERE = {"project": "my-project", "location": "europe-west1", "api_key": None}
HELLO = ChatRequest("gemini-3.8-flash", (ChatMessage("user", (TextPart("Hello"),)),))


@pytest.fixture
async def token() -> dict[str, Any]:
    """What the sign-in service answers."""
    return {"expires_in": 3600, "token_type": "Bearer"}


@pytest.fixture
async def credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeGemini, token: dict[str, Any]
) -> AsyncIterator[None]:
    async def sign_in(_request: web.Request) -> web.Response:
        return web.json_response({"access_token": fake.key, **token}, status=token.get("status", 200))

    app = web.Application()
    app.router.add_post("/token", sign_in)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    path = tmp_path / "account.json"
    path.write_text(json.dumps(account(f"http://127.0.0.1:{runner.addresses[0][1]}/token")))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    yield
    await runner.cleanup()


def account(token_uri: str) -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "bot@my-project.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": token_uri,
    }


@pytest.mark.usefixtures("credentials")
class TestVertex:
    async def test_a_project_is_asked_with_a_token(self, fake: FakeGemini, make: Any) -> None:
        answer = [event.text async for event in (await make(**WHERE)).generate(HELLO) if isinstance(event, TextDelta)]

        assert answer == ["Hello"]
        (request,) = fake.requests
        assert request.path == (
            "/v1beta1/projects/my-project/locations/europe-west1/publishers/google/models/"
            "gemini-3.8-flash:streamGenerateContent"
        )
        assert request.headers["authorization"] == "***"

    async def test_its_list_tells_names_only(self, make: Any) -> None:
        models = {model.id: model for model in await (await make(**WHERE)).list_models()}

        assert "gemini-embedding-001" not in models
        flash = models["gemini-3.8-flash"]
        assert (flash.context_window, flash.reasoning) == (None, True)
        assert flash.supports_files

    async def test_tokens_are_counted(self, make: Any) -> None:
        assert await (await make(**WHERE)).count_tokens(HELLO) == 2

    async def test_there_is_no_files_api(self, fake: FakeGemini, make: Any, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        path.touch()
        file = FilePart(path, "video/mp4", INLINE_BYTES + 1, "0")

        with pytest.raises(Unsupported, match="Vertex AI"):
            async for _ in (await make(**WHERE)).generate(ChatRequest(HELLO.model, (ChatMessage("user", (file,)),))):
                pass
        assert not fake.requests

    async def test_a_project_goes_before_a_key(self, fake: FakeGemini, make: Any) -> None:
        await (await make(**{**WHERE, "api_key": fake.key})).list_models()

        assert "/publishers/" in fake.requests[-1].path

    async def test_credentials_that_are_refused(self, make: Any, token: dict[str, Any]) -> None:
        token.update(status=400, error="invalid_grant")

        with pytest.raises(AuthFailed, match="sign in again"):
            await (await make(**WHERE)).list_models()


async def test_no_credentials(make: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))

    with pytest.raises(NotConfigured, match="gcloud auth application-default login"):
        await (await make(**WHERE)).list_models()
