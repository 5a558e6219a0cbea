"""Proxies of the environment (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY`` ...) and of the settings."""

import importlib.util
import ipaddress
import os
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies

from tgllm.api.context import Check
from tgllm.api.errors import NotConfigured
from tgllm.providers.network import is_loopback

__all__ = ["Proxy", "find_http_proxy", "find_proxy", "proxy_check", "wrong_setting"]

_SETTING = "the setting proxy"
_SYSTEM = "the proxy of the system"
_SOCKS_PORT = 1080
_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,15}", re.IGNORECASE)
_HOST = re.compile(r"[^\s/?#@\\<>\"'{}|^`\[\]%]+|[0-9a-f:.]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and where it is set."""

    url: str
    """May contain a password; never shown."""
    source: str
    """Name of the environment variable, or "the setting proxy"."""

    def __str__(self) -> str:
        address = self.url.partition("://")
        return f"{address[0]}://{address[2].rpartition('@')[2]} ({self.source})"


def find_proxy(url: str, setting: str | None = None) -> Proxy | None:
    """Return the proxy for requests to ``url``; None for this machine, for hosts in ``NO_PROXY``, and if none is set.

    Args:
        url: the address of a service; without a host, only ``NO_PROXY=*`` applies to it.
        setting: the proxy in a plugin's settings, to which the environment does not apply.

    Raises:
        NotConfigured: the proxy can't be used; the sentence names the variable or the setting, without its value.
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme or "https", (parts.hostname or "").rstrip(".").lower()
    if host and is_loopback(host):
        return None
    if setting is not None:
        return _read(setting, _SETTING) if setting.strip() else None
    known = getproxies()
    value, source = next(
        ((known[name], _source(name)) for name in (scheme, "all") if known.get(name, "").strip()), ("", "")
    )
    if not value or _is_excepted(host, parts.port or _PORTS.get(scheme, 0), known.get("no", "")):
        return None
    return _read(value if "://" in value else f"http://{value}", source)


def find_http_proxy(url: str) -> tuple[Proxy | None, str]:
    """Return the proxy for a client without SOCKS, or None and the reason why a proxy is left out, if there is one."""
    try:
        found = find_proxy(url)
    except NotConfigured as error:
        return None, str(error)
    if found is not None and found.url.startswith("socks"):
        return None, f"{found.source} is a SOCKS proxy"
    return found, ""


def proxy_check(title: str, url: str, setting: str | None = None) -> Check:
    """Return a check for ``tgllm_doctor`` that shows the proxy of a service, without user name and password."""
    try:
        found = find_proxy(url, setting)
    except NotConfigured as error:
        return Check(f"{title}: proxy", "failed", str(error))
    return Check(f"{title}: proxy", "ok", str(found) if found else "none")


def wrong_setting(sentence: str, setting: str) -> NotConfigured:
    """Return the error for a setting or a variable, other than the key, that keeps a provider from working."""
    return NotConfigured(sentence, code="wrong_setting", setting=setting)


def _source(name: str) -> str:
    """Return the variable that sets a proxy, as it is written; lower case takes precedence, as in ``getproxies``."""
    variables = (f"{name}_proxy", f"{name}_proxy".upper())
    return next((variable for variable in variables if os.environ.get(variable)), _SYSTEM)


def _read(value: str, source: str) -> Proxy:
    scheme, _, _ = value.strip().partition("://")
    broken = wrong_setting(f"{source} is not a valid address of a proxy: write it like http://host:3128", source)
    try:
        parts = urlsplit(value.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise broken from None
    if not (_SCHEME.fullmatch(scheme) and _HOST.fullmatch(host)) or port == 0:
        raise broken
    scheme = scheme.lower()
    if scheme in {"socks", "socks5", "socks5h"}:
        if importlib.util.find_spec("socksio") is None:
            words = f"{source} is a SOCKS proxy, which needs one more package: pip install 'httpx[socks]'"
            raise wrong_setting(words, source)
        # Desktops write socks:// for a SOCKS proxy of any version; the proxy also resolves the names.
        scheme, port = "socks5h" if scheme == "socks" else scheme, port or _SOCKS_PORT
    elif scheme not in _PORTS:
        raise wrong_setting(f"{source} is a proxy of an unknown kind: use http, https, socks5 or socks5h", source)
    place = f"[{host}]" if ":" in host else host
    return Proxy(f"{scheme}://{_login(parts.username, parts.password)}{place}{f':{port}' if port else ''}", source)


def _login(user: str | None, password: str | None) -> str:
    if user is None and password is None:
        return ""
    name, secret = (quote(unquote(text or ""), safe="") for text in (user, password))
    return f"{name}:{secret}@" if password is not None else f"{name}@"


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Return whether a host is in ``NO_PROXY``, whose entries are names with their subdomains, addresses and networks.

    Each may have a port. Entries that can't be read are ignored.
    """
    entries = re.split(r"[,\s]+", exceptions.strip().lower())
    return any(_covers(entry.rpartition("://")[2], host, port) for entry in entries if entry)


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    network = _network(entry)
    if network is None:
        entry, wanted = _split_port(entry)
        if wanted is not None and wanted != str(port):
            return False
        network = _network(entry)
    if network is not None:
        return _is_in(host, network)
    name = entry.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, str | None]:
    """Split ``host:port`` and ``[address]:port``."""
    if entry.startswith("["):
        address, _, rest = entry[1:].partition("]")
        return address, rest.removeprefix(":") or None
    name, colon, port = entry.partition(":")
    return (name, port) if colon and ":" not in port else (entry, None)


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def _is_in(host: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False
