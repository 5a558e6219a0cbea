"""TLS contexts that load their certificates late trust what they would have trusted. Each is tried in a new process."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from tgllm.providers.connections.late_certificates import late_certificates

COUNTING = """
import asyncio, json, ssl, sys

loads = []

def counted(name, method):
    def load(*args, **kwargs):
        loads.append(name)
        return method(*args, **kwargs)
    return load

for name in ("load_default_certs", "set_default_verify_paths", "load_verify_locations"):
    setattr(ssl.SSLContext, name, counted(name, getattr(ssl.SSLContext, name)))
"""
STARTING = """
import tgllm.bot.runtime
from aiogram.client.telegram import TelegramAPIServer
from tgllm.bot.telegram.session import BotSession
from tgllm.providers.http import open_client

BotSession(TelegramAPIServer.from_base("http://127.0.0.1:9"), timeout=1)
open_client("http://127.0.0.1:9")
print(json.dumps(loads))
"""
ASKING = """
from tgllm.providers.connections.late_certificates import aiohttp

async def ask(url):
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            return await response.text()

try:
    print(json.dumps(asyncio.run(ask(sys.argv[1]))))
except aiohttp.ClientConnectorCertificateError:
    print(json.dumps("not trusted"))
"""


def run(*programs: str, args: tuple[str, ...] = (), variables: dict[str, str] | None = None) -> Any:
    command = [sys.executable, "-c", "".join(programs), *args]
    environment = {**os.environ, **(variables or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=environment)
    return json.loads(done.stdout)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def test_a_start_without_tls_loads_no_certificates() -> None:
    assert run(COUNTING, STARTING) == []


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_plugins_own_connections_are_checked(tmp_path: Path, authority: trustme.CA, *, trusted: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  OpenSSL's types
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response(text="hello")

    async with RawTestServer(handler, host="127.0.0.1") as server:
        await server.close()
        secure = RawTestServer(handler, host="127.0.0.1", scheme="https")
        await secure.start_server(ssl=context)
        variables = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")} if trusted else {}
        url = str(secure.make_url("/"))
        said = await asyncio.to_thread(run, COUNTING, ASKING, args=(url,), variables=variables)
        assert said == ("hello" if trusted else "not trusted")
        await secure.close()


def test_a_late_context_becomes_an_ordinary_one(tmp_path: Path, authority: trustme.CA) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with late_certificates():
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    assert type(bare) is ssl.SSLContext
    assert type(context) is not ssl.SSLContext
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert len(context.get_ca_certs()) == 1
    assert type(context) is ssl.SSLContext
    assert len(ssl.create_default_context(cafile=tmp_path / "ca.pem").get_ca_certs()) == 1


def test_other_threads_load_at_once(tmp_path: Path, authority: trustme.CA) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with ThreadPoolExecutor(1) as pool, late_certificates():
        context = pool.submit(ssl.create_default_context, cafile=tmp_path / "ca.pem").result()
    assert type(context) is ssl.SSLContext
    assert len(context.get_ca_certs()) == 1
