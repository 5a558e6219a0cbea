"""Which addresses are public, and what the operator allows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm_web.addresses import address_of, is_public
from tgllm_web.allowed import Allowed


@pytest.mark.parametrize(
    "text", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:82b::200e", "::ffff:8.8.8.8"]
)
def test_public_addresses(text: str) -> None:
    assert is_public(address_of(text))


@pytest.mark.parametrize(
    "text",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
        *("169.254.169.254", "192.0.0.8", "192.0.2.1", "198.18.0.1", "203.0.113.5", "224.0.0.1", "239.1.1.1"),
        *("240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1"),
        *("ff02::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
        *("2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1"),
    ],
)
def test_addresses_that_are_not_public(text: str) -> None:
    assert not is_public(address_of(text))


@given(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="127.0.0.0/8"))
def test_no_way_to_write_a_private_address_of_ipv4_in_ipv6_is_public(address: object) -> None:
    number = int(address)  # type: ignore[call-overload]  an address of IPv4

    for text in (f"::ffff:{address}", f"::{address}", f"64:ff9b::{address}"):
        assert not is_public(address_of(text))
    assert not is_public(address_of(f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1"))


def test_what_is_allowed_beside_the_internet() -> None:
    allowed = Allowed.of(["10.1.0.0/16", "192.168.1.5", "wiki.lan", "docs.lan:8080"])

    def allows(host: str, port: int, address: str) -> bool:
        return allowed.allows_port(host, port) and allowed.allows(host, port, address_of(address))

    assert allows("x.example", 443, "10.1.2.3")
    assert allows("192.168.1.5", 80, "192.168.1.5")
    assert allows("WIKI.lan.", 443, "172.16.0.9")
    assert allows("docs.lan", 8080, "127.0.0.1")
    assert not allows("docs.lan", 443, "127.0.0.1")
    assert not allows("docs.lan", 8081, "127.0.0.1")
    assert not allows("wiki.lan", 8080, "172.16.0.9")
    assert not allows("x.example", 443, "10.2.0.1")
    assert not allows("x.example", 8080, "8.8.8.8")


@pytest.mark.parametrize("entry", ["", "http://wiki.lan", "wiki.lan:0", "wiki.lan:99999", "a b", "10.0.0.0/33"])
def test_an_entry_that_is_no_host_and_no_network_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="neither a host"):
        Allowed.of([entry])
