"""Which IP addresses are public: those of the internet, and none of a private network or of this machine."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

__all__ = ["Address", "address_of", "is_public"]

Address = IPv4Address | IPv6Address

_PROTOCOLS_4 = IPv4Network("192.0.0.0/24")
"""Addresses for protocols; Python counts some of them as public."""
_UNICAST = IPv6Network("2000::/3")
"""The only range of IPv6 that is used in the internet."""
_NOT_PUBLIC = (
    IPv6Network("2001::/23"),  # for protocols, such as Teredo, which contains IPv4 addresses
    IPv6Network("2002::/16"),  # 6to4, which contains IPv4 addresses
    IPv6Network("3fff::/20"),  # for documentation
)


def address_of(text: str) -> Address:
    """Return the address of a text in the usual notation; one of IPv6 that stands for one of IPv4 becomes that one.

    Raises:
        ValueError: the text is no address.
    """
    address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def is_public(address: Address) -> bool:
    """Return whether an address is one of the internet.

    Python's ``is_global`` alone is not enough: it is true for multicast, and for addresses of IPv6 from which gateways
    (NAT64, 6to4) make any address of IPv4.
    """
    if isinstance(address, IPv6Address):
        return address in _UNICAST and address.is_global and not any(address in each for each in _NOT_PUBLIC)
    return address.is_global and not address.is_multicast and address not in _PROTOCOLS_4
