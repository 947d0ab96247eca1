"""Decides to which network addresses a user may make this server connect: only to those that
are public on the internet (protection against SSRF)."""

from __future__ import annotations

import ipaddress
import socket
import threading

from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.work.originals import within

# The most look-ups at once. A look-up cannot be interrupted; on a timeout its thread runs on.
MAX_LOOK_UPS = 32
_look_ups = threading.BoundedSemaphore(MAX_LOOK_UPS)

# IANA's special-purpose registries, written out because Python's `is_global` changes between
# versions. All other IPv4 addresses are public.
_SPECIAL_IPV4 = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by the customers of a provider
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata services of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112: answered within the local network
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]

# For IPv6 only allocated global unicast is public, except these networks. This excludes
# loopback, link-local, unique local, multicast, SIIT (::ffff:0:0:0/96), IPv4-compatible
# (::/96), 64:ff9b:1::/48, 5f00::/16 and so on.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_SPECIAL_IPV6 = [
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
]
# The interface identifiers of ISATAP, which an IPv4 address of the local network follows.
_ISATAP = {0x0000_5EFE, 0x0200_5EFE}

# IPv6 networks that reach IPv4 servers: mapped addresses, and the NAT64 gateway of a network
# without IPv4, whose name server makes such addresses.
_IPV4_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def public_addresses(host: str, port: int, seconds: float) -> list[str]:
    """Look up the addresses of `host` once. The caller must connect to one of these without
    another look-up, whose answer may differ.

    Raises Refusal (not_public) if there is none or any of them is not public. The sentence is
    the same for both, so that it tells nothing about internal names. Raises TimeoutError if no
    name server answers within `seconds`.
    """
    if not _look_ups.acquire(timeout=seconds):
        raise TimeoutError("Too many name servers do not answer.")
    try:
        addresses = within(seconds, lambda: _looked_up(host, port))
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        raise _not_public() from error
    if not addresses or not all(is_public(address) for address in addresses):
        raise _not_public()
    return addresses


def _looked_up(host: str, port: int) -> list[str]:
    """Run the look-up in its own thread. Its caller may have given up long before the answer."""
    try:
        return look_up(host, port)
    except TimeoutError as error:  # the resolver's own timeout is an answer, too
        raise OSError(str(error)) from error
    finally:
        _look_ups.release()


def look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_others, address in found]


def is_public(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return _is_public_ipv4(ip)
    if ip.scope_id is not None:  # a zone: valid on one link only
        return False
    if ip in _IPV4_MAPPED or ip in _NAT64:
        return _is_public_ipv4(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF))
    return _is_public_ipv6(ip)


def _is_public_ipv4(ip: ipaddress.IPv4Address) -> bool:
    return not any(ip in network for network in _SPECIAL_IPV4)


def _is_public_ipv6(ip: ipaddress.IPv6Address) -> bool:
    is_isatap = (int(ip) >> 32) & 0xFFFF_FFFF in _ISATAP
    is_special = is_isatap or any(ip in network for network in _SPECIAL_IPV6)
    return ip in _GLOBAL_UNICAST and not is_special


def _not_public() -> Refusal:
    return Refusal(
        "not_public", _("There is no public server at this address. Check how it is written.")
    )
