"""The network guard: public addresses, and a guarded process that tries to reach others."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jobs.pipeline.download.network_guard import NetworkGuard, RefusedError, endpoint, is_public
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]

PUBLIC = ["1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.255.255", "223.255.255.255"]
PUBLIC_V6 = ["2606:4700::1111", "2a00:1450:4001::200e", "::ffff:1.1.1.1", "64:ff9b::101:101"]
PRIVATE = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
]
PRIVATE_V6 = [
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0"),
    *("fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1", "5f00::1"),
    *("2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::", "3fff::1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
]
NOT_NUMERIC = [
    "localhost",
    "example.com",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "",
    " 1.1.1.1",
    "<broadcast>",
]


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC_V6])
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", [*PRIVATE, *PRIVATE_V6, *NOT_NUMERIC])
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("event", ["socket.connect", "socket.sendto", "socket.sendmsg"])
@pytest.mark.parametrize(
    "address",
    [
        ("10.0.0.1", 80),
        ("::1", 80, 0, 0),
        ("example.com", 80),
        "/run/docker.sock",
        b"\0abstract",
        (0, 0),
        (b"127.0.0.1", 80),
    ],
)
def test_refuses_peers(event: str, address: object) -> None:
    guard = NetworkGuard()
    with pytest.raises(RefusedError):
        guard(event, (None, address))
    assert guard.refused == [str(address)]


def test_lets_public_peers_through() -> None:
    guard = NetworkGuard()
    guard("socket.connect", (None, ("1.1.1.1", 443)))
    guard("socket.connect", (None, ("2606:4700::1111", 443, 0, 0)))
    assert guard.refused == []


def test_an_allowed_endpoint_is_one_port_in_every_spelling() -> None:
    guard = NetworkGuard(also=[endpoint("127.0.0.1", 8000)])
    guard("socket.connect", (None, ("127.0.0.1", 8000)))
    guard("socket.connect", (None, ("::ffff:127.0.0.1", 8000, 0, 0)))
    for other in (("127.0.0.1", 8001), ("127.0.0.2", 8000)):
        with pytest.raises(RefusedError):
            guard("socket.connect", (None, other))


DENO = Path("/opt/deno")
SEALED = ["run", "--ext=js", "--no-prompt", "--no-remote", "--no-npm", "--cached-only", "-"]


@pytest.mark.parametrize("options", [SEALED, ["--version"]])
def test_lets_sealed_deno_through(options: list[str]) -> None:
    NetworkGuard(deno=DENO)("subprocess.Popen", (str(DENO), [str(DENO), *options], None, None))


@pytest.mark.parametrize(
    ("executable", "command"),
    [
        ("/bin/sh", ["/bin/sh", *SEALED]),
        ("/bin/sh", [str(DENO), *SEALED]),
        (str(DENO), [str(DENO), "eval", "1"]),
        (str(DENO), [str(DENO), *SEALED, "-A"]),
        (str(DENO), [str(DENO), *SEALED, "-N"]),
        (str(DENO), [str(DENO), *SEALED, "--allow-net"]),
        (str(DENO), [str(DENO), *SEALED, "--permission-set=all"]),
        (str(DENO), [str(DENO), "run", "--no-prompt", "-"]),
        (str(DENO), f"{DENO} run -"),
    ],
)
def test_refuses_other_programs(executable: str, command: object) -> None:
    with pytest.raises(RefusedError):
        NetworkGuard(deno=DENO)("subprocess.Popen", (executable, command, None, None))


def test_refuses_deno_unless_it_was_named() -> None:
    with pytest.raises(RefusedError):
        NetworkGuard()("subprocess.Popen", (str(DENO), [str(DENO), *SEALED], None, None))


GUARDED = """
import ctypes, json, os, socket, subprocess, sys, urllib.request
from jobs.pipeline.download.network_guard import NetworkGuard, endpoint

port, open_port = int(sys.argv[1]), int(sys.argv[2])
NetworkGuard(also=[endpoint("127.0.0.1", open_port)]).install()

def stream(family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_STREAM)

def rebound():
    "The first look-up was public; the one before connecting is not."
    socket.getaddrinfo = lambda host, *a, **k: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    socket.create_connection(("public.example", port))

attempts = {
    "connect": lambda: stream().connect(("127.0.0.1", port)),
    "connect_ex": lambda: stream().connect_ex(("127.0.0.1", port)),
    "name": lambda: stream().connect(("localhost", port)),
    "mapped": lambda: stream(socket.AF_INET6).connect(("::ffff:127.0.0.1", port)),
    "zero": lambda: stream().connect(("0.0.0.0", port)),
    "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
    "sendmsg": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, ("127.0.0.1", port)),
    "unix": lambda: stream(socket.AF_UNIX).connect("/tmp/none"),
    "urllib": lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/"),
    "rebound": rebound,
    "run": lambda: subprocess.run(["/bin/true"]),
    "system": lambda: os.system("true"),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "fork": lambda: os.fork() or os._exit(0),
    "library": lambda: ctypes.CDLL("libc.so.6"),
    "allowed": lambda: stream().connect(("127.0.0.1", open_port)),
}

def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return type(getattr(error, "reason", error)).__name__
    return "done"

print(json.dumps({name: outcome(attempt) for name, attempt in attempts.items()}))
"""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    """Outcomes of all attempts in a guarded process; nothing arrives at the forbidden listener."""
    with _listener() as closed, _listener() as opened:
        ports = [str(each.getsockname()[1]) for each in (closed, opened)]
        ran = subprocess.run(
            [sys.executable, "-c", GUARDED, *ports], cwd=ROOT, capture_output=True, check=True, timeout=PATIENCE
        )
        closed.setblocking(False)
        with pytest.raises(BlockingIOError):
            closed.accept()
    result: dict[str, str] = json.loads(ran.stdout)
    return result


def _listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_a_guarded_process_reaches_nothing_else(outcomes: dict[str, Any]) -> None:
    assert outcomes.pop("allowed") == "done"
    assert set(outcomes.values()) == {"RefusedError"}, outcomes
