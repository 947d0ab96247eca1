"""Which addresses of the network a user may make this server talk to: those that
anybody on the internet may talk to, and no others."""

from __future__ import annotations

import ipaddress
import socket

from django.utils.translation import gettext as _

from gallery.errors import Refusal

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Local networks that Python 3.11 takes for public ones: NAT64's own, and the site-local
# addresses of old.
_INSIDE = [ipaddress.ip_network("64:ff9b:1::/48"), ipaddress.ip_network("fec0::/10")]

# IPv6 networks whose addresses carry an IPv4 address in their last 32 bits: NAT64
# and the long obsolete "IPv4-compatible" ones.
_CARRIES_IPV4 = [ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96")]


def public_addresses(host: str, port: int) -> list[str]:
    """The addresses that `host` has now. One look-up: who connects must use these and
    not ask again, for the answer may be another then.

    Raises Refusal (not_public) where there is none or any of them is not public. The
    sentence is the same for both: it tells nothing about names inside.
    """
    try:
        addresses = look_up(host, port)
    except (OSError, UnicodeError) as error:
        raise _not_public() from error
    if not addresses or not all(is_public(address) for address in addresses):
        raise _not_public()
    return addresses


def look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_others, address in found]


def is_public(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # with a zone, as link-local ones have
        return False
    return all(_is_everybodys(one) for one in [ip, *_carried_by(ip)])


def _is_everybodys(ip: IPAddress) -> bool:
    inside = any(ip in network for network in _INSIDE)
    return ip.is_global and not ip.is_multicast and not inside


def _carried_by(ip: IPAddress) -> list[IPAddress]:
    """IPv4 addresses that a gateway on the way may make of an IPv6 one."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    carried: list[IPAddress] = [
        inner for inner in (ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())) if inner is not None
    ]
    if any(ip in network for network in _CARRIES_IPV4):
        carried.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return carried


def _not_public() -> Refusal:
    return Refusal(
        "not_public", _("There is no public server at this address. Check how it is written.")
    )
