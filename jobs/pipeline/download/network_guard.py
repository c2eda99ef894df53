"""Network guard: an audit hook, which cannot be removed, that limits the addresses and programs a process may reach.

Python raises an audit event before every connect, with the address that is passed to the kernel. So the check comes
after the resolution of names, and on every hop: redirects, playlists and their segments, names whose address changes.
Native code that opens its own sockets raises no event: the process must not load any.

Ranges are those of IANA's special-purpose registries for IPv4 (RFC 6890 and later) and IPv6. `ipaddress.is_global` is
not used: in Python 3.11 it is true for multicast, and for 6to4 and NAT64 addresses of private hosts.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Endpoint = tuple[str, int]
"""A numeric address and a port."""

_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network; 0.0.0.0 reaches this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: any IPv4 address can hide in it
        "3fff::/20",
    )
)
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Tell whether a numeric IPv4 or IPv6 address is on the public internet; False for anything else."""
    try:
        number = _plain(ipaddress.ip_address(address))
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv6Address) and number not in _UNICAST_V6:
        return False
    return not any(number in network for network in _NOT_PUBLIC if network.version == number.version)


def endpoint(address: str, port: int) -> Endpoint:
    """Normalise a numeric address and a port, so that endpoints can be compared. Raises ValueError for a name."""
    return str(_plain(ipaddress.ip_address(address))), port


def _plain(number: Address) -> Address:
    """Convert IPv6 addresses that stand for IPv4 ones (mapped, or by the NAT64 of an IPv6-only network)."""
    if isinstance(number, ipaddress.IPv4Address):
        return number
    if number in _NAT64:
        return ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
    return number.ipv4_mapped or number


class RefusedError(PermissionError):
    """Raised by the network guard. It is an OSError, so that network code treats it as a failed connection."""


class NetworkGuard:
    """The audit hook. `also` are endpoints allowed besides public addresses, `deno` the program that may be started.

    `refused` collects the refused addresses, because network code may swallow the exception.
    """

    def __init__(self, *, also: Sequence[Endpoint] = (), deno: Path | None = None) -> None:
        self.refused: list[str] = []
        self._also = frozenset(endpoint(*each) for each in also)
        self._deno = str(deno) if deno else None
        self._checks: Mapping[str, Callable[[tuple[Any, ...]], None]] = {
            **dict.fromkeys(("socket.connect", "socket.sendto", "socket.sendmsg"), self._check_peer),
            **dict.fromkeys(_STARTS_A_PROGRAM, self._refuse_program),
            "subprocess.Popen": self._check_program,
            "ctypes.dlopen": self._check_library,
        }

    def install(self) -> None:
        """Install the hook, for the rest of this process's life."""
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Check one audit event. Raises RefusedError."""
        check = self._checks.get(event)
        if check is not None:
            check(arguments)

    def _check_peer(self, arguments: tuple[Any, ...]) -> None:
        address = arguments[1]
        if address is None:  # sendmsg on a connected socket, which was checked at its connect
            return
        if not self._reachable(address):
            self.refused.append(str(address))
            raise RefusedError(f"Not a public address: {address}")

    def _reachable(self, address: object) -> bool:
        """Refuse Unix sockets (a string), netlink (numbers) and names, which would be resolved below this layer."""
        if not (isinstance(address, tuple) and len(address) >= 2 and isinstance(address[0], str)):
            return False
        try:
            peer = endpoint(address[0], address[1])
        except ValueError:
            return False
        return peer in self._also or is_public(peer[0])

    def _check_program(self, arguments: tuple[Any, ...]) -> None:
        executable, command = arguments[0], arguments[1]
        words = [] if isinstance(command, str | bytes) else [str(word) for word in command]
        if self._deno is None or not words or {str(executable or words[0]), words[0]} != {self._deno}:
            self._refuse_program()
        if not _is_sealed(words[1:]):
            self._refuse_program()

    def _refuse_program(self, _: tuple[Any, ...] = ()) -> None:
        raise RefusedError("Starting another program is not allowed here")

    def _check_library(self, arguments: tuple[Any, ...]) -> None:
        if arguments[0] is not None:  # None is the interpreter itself, which every import of ctypes opens
            raise RefusedError("Loading a native library is not allowed here")


_STARTS_A_PROGRAM = (
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
)

_DENO_OPTIONS = frozenset({"run", "-", "--ext=js", "--node-modules-dir=none", "--cached-only"})


def _is_sealed(words: Sequence[str]) -> bool:
    """Tell whether deno, started with these arguments, has neither network nor files.

    It grants a script only what options name (--allow-net, -N, -A, …), and downloads no module with --no-remote and
    --cached-only. Any other option is refused.
    """
    if list(words) == ["--version"]:
        return True
    known = all(word in _DENO_OPTIONS or word.startswith("--no-") for word in words)
    return known and {"run", "--no-remote", "--cached-only"} <= set(words)
