"""Which hosts may be called: public addresses, and the private ones that a setting lists. Pure."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal
from urllib.parse import SplitResult, urlsplit

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
UrlFault = Literal["invalid_url", "insecure_url", "private_address"]

LONGEST_URL = 2048
# Where clouds hand out credentials to whoever asks from the machine: never, whatever a setting says.
_METADATA = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192",
                 "fd00:ec2::254", "fd20:ce::254")
)  # fmt: skip
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
# Names that no public host has: what they lead to is seen when connecting.
_LOCAL_SUFFIXES = (".local", ".internal", ".lan", ".home.arpa", ".localhost", ".localdomain")


@dataclass(frozen=True)
class Targets:
    """The private networks that may be called; none by default."""

    networks: tuple[Network, ...] = ()

    def allow(self, address: Address, *, plain: bool = False, private: bool = True) -> bool:
        """Whether to connect: `plain` is http, which only listed addresses take; `private` False ignores the list."""
        forms = _forms(address)
        if any(form in _METADATA for form in forms):
            return False
        if private and any(form in network for network in self.networks for form in forms):
            return True
        return not plain and all(_is_public(form) for form in forms)


def split(url: str) -> SplitResult | None:
    """The parts of a URL that may be called; None where it is none, or holds a user, a password or a fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or "%"  # a percent sign could hide an address from us, and not from the client
        sound = parts.scheme in {"https", "http"} and "%" not in host and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and len(url) <= LONGEST_URL
    return parts if sound and plain and "@" not in parts.netloc and "#" not in url else None


def fault_of(url: str, targets: Targets, found: Sequence[Address] = ()) -> UrlFault | None:
    """What speaks against a URL; `found` is what its name leads to, where that is known."""
    parts = split(url)
    if parts is None or parts.hostname is None:
        return "invalid_url"
    plain = parts.scheme == "http"
    literal = literal_of(parts.hostname)
    addresses = [literal] if literal else list(found)
    if addresses:
        if any(targets.allow(address, plain=plain) for address in addresses):
            return None
        public = any(_is_public(form) for address in addresses for form in _forms(address)[-1:])
        return "insecure_url" if plain and public else "private_address"
    return "insecure_url" if plain and not (targets.networks and _sounds_local(parts.hostname)) else None


def literal_of(host: str) -> Address | None:
    """The address that a host spells in any way that a resolver takes: `0x7f.1`, `167772161`, `[::ffff:10.0.0.1]`."""
    host = host.strip("[]").rstrip(".")
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    if not host or not all(part and part[0] in "0123456789" for part in host.split(".")):
        return None
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _sounds_local(host: str) -> bool:
    name = host.rstrip(".").lower()
    return "." not in name or name.endswith(_LOCAL_SUFFIXES)


def _forms(address: Address) -> list[Address]:
    """The address, and the IPv4 address that it carries; the last one tells where it leads."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped or address.sixtofour:
        return [address, address.ipv4_mapped or address.sixtofour or address]
    if address.teredo:
        return [address, address.teredo[1]]
    if any(address in network for network in _NAT64) or (int(address) >> 32 == 0 and int(address) > 1):
        return [address, IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address]


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and len(_forms(address)) > 1:
        return True  # a carrier: what it carries is judged beside it
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
