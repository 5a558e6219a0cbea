"""Settings of the webhook: what Telegram would refuse is refused here, with a sentence that says what is right."""

import pytest

from tgllm.api import ConfigError
from tgllm.config.load import load_config
from tgllm.config.model import Config
from tgllm.config.sections.webhook import networks
from tgllm.observe.redaction import redact

TOKEN = "123456:" + "a" * 35
URL = "https://bot.example.org/telegram"


def loaded(**values: object) -> Config:
    flags = {key.replace("__", "."): value for key, value in values.items()}
    return load_config(flags, environ={}, with_file=False).config


def test_without_an_address_telegram_is_asked() -> None:
    assert loaded().webhook.url is None
    assert loaded(webhook__url=" OFF ").webhook.url is None


@pytest.mark.parametrize(
    "url",
    [URL, "https://bot.example.org", "https://1.2.3.4:8443/x", "https://me:pw@x.org:88/", "https://x.org:80/?a=b"],
)
def test_what_telegram_takes_is_taken(url: str) -> None:
    assert loaded(webhook__url=url).webhook.url == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://bot.example.org/", "must begin with https://"),
        ("https://bot.example.org:9000/", "must have one of the ports 443, 80, 88, 8443"),
        ("https://localhost/", "must be an address that Telegram reaches"),
        ("https://127.0.0.1:8443/", "must be an address that Telegram reaches"),
        ("https://[::1]/", "must be an address that Telegram reaches"),
        ("bot.example.org", "must be an address such as"),
        ("ftp://bot.example.org", "must be an address such as"),
        ("https://", "must be an address such as"),
        ("https://[x/", "must be an address such as"),
        ("https://x:99999/", "must be an address such as"),
        ("https://бот.рф/", "must be an address such as"),
        ("https://x.org/a b", "must be an address such as"),
        ("https://x.org/#a", "must be an address such as"),
        ("https://x.org/" + "a" * 2000, "must be an address such as"),
    ],
)
def test_what_telegram_refuses_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match="webhook.*" + words):
        loaded(webhook__url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/x", "https://bot.example.org:9000/"])
def test_a_local_bot_api_server_sends_to_any_address(url: str) -> None:
    assert loaded(webhook__url=url, telegram_api="http://127.0.0.1:8081").webhook.url == url


@pytest.mark.parametrize("secret", ["short", "ключ" * 8, "a" * 257, "with spaces in it all", "a" * 15 + "!"])
def test_a_secret_that_telegram_refuses_or_that_is_guessed_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match="16 to 256") as refused:
        loaded(webhook__url=URL, webhook__secret=secret)
    assert secret not in str(refused.value)


def test_secrets_do_not_appear_in_the_log() -> None:
    loaded(webhook__url="https://me:swordfish-9@x.org/", webhook__secret="a-secret-of-my-own")

    assert "a-secret-of-my-own" not in redact("it is a-secret-of-my-own")
    assert "swordfish-9" not in redact("https://me:swordfish-9@x.org/")


def test_telegrams_networks_have_a_name() -> None:
    config = loaded(webhook__url=URL, webhook__addresses="telegram, 10.0.0.7", webhook__proxy_header="X-Real-IP")

    assert [str(each) for each in networks(config.webhook.addresses)] == [
        "149.154.160.0/20",
        "91.108.4.0/22",
        "10.0.0.7/32",
    ]


@pytest.mark.parametrize("addresses", ["everyone", "10.0.0.0/33", "::1/x"])
def test_other_words_are_no_networks(addresses: str) -> None:
    with pytest.raises(ConfigError, match=r"webhook.*must be addresses or networks"):
        loaded(webhook__addresses=addresses)


def test_addresses_behind_a_proxy_need_its_header() -> None:
    with pytest.raises(ConfigError, match="proxy_header"):
        loaded(webhook__url=URL, webhook__addresses="telegram")
    assert loaded(webhook__url=URL, webhook__addresses="telegram", webhook__host="0.0.0.0").webhook.addresses
    with pytest.raises(ConfigError, match="must be the name of a header"):
        loaded(webhook__url=URL, webhook__proxy_header="X Forwarded")


def test_the_port_for_monitoring_is_another_one() -> None:
    with pytest.raises(ConfigError, match=r"web\.port"):
        loaded(webhook__url=URL, webhook__port=9090, web__port=9090)
    assert loaded(webhook__url=URL, webhook__port=0, web__port=0).web.port == 0


@pytest.mark.parametrize(("key", "value"), [("max_connections", 101), ("max_connections", 0), ("max_kb", 1)])
def test_numbers_have_bounds(key: str, value: int) -> None:
    with pytest.raises(ConfigError, match=key):
        loaded(**{f"webhook__{key}": value})
