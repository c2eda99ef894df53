"""The way to a service: this machine is asked directly, proxies are used and named with their setting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import pytest

from jobs.engines.llm.transport import is_this_machine, proxies_to, proxy_in_use
from jobs.pipeline import errors
from tests.engines.fake_llm_server import FakeServer, Said, Shape, closed_port
from tests.engines.llm_doubles import gemini_model, model_of, openai_model, run, some_lines
from tests.engines.tiny_proxy import TinyProxy
from tests.engines.tiny_socks import TinySocks

VARIABLES = ("ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://127.0.0.1:1", "nonsense://"])
@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("shape", get_args(Shape))
def test_this_machine_is_asked_past_the_proxy_of_the_environment(
    server: FakeServer, shape: Shape, variable: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 84."""
    monkeypatch.setenv(variable, proxy)
    assert run(model_of(shape, server.url), some_lines(1))[1].text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.1"])
def test_all_names_of_this_machine(server: FakeServer, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", closed_port())
    port = urlsplit(server.url).port
    assert run(openai_model("", base_url=f"http://{host}:{port}/v1"), some_lines(1))[1].text


@pytest.mark.parametrize(
    ("host", "same"),
    [
        ("localhost", True),
        ("models.localhost", True),
        ("localhost.", True),
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("127.1", True),
        ("192.168.1.5", False),
        ("10.0.0.1", False),
        ("::2", False),
        ("localhost.example.org", False),
        ("mylocalhost", False),
        ("127.example.org", False),
        ("", False),
    ],
)
def test_which_hosts_are_this_machine(host: str, same: bool) -> None:
    assert is_this_machine(host) is same


def test_other_hosts_are_left_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert proxies_to("http://192.168.1.5:11434/v1", "") == {}
    assert proxy_in_use("http://192.168.1.5:11434/v1", "") == "http://proxy.example:3128"
    assert proxy_in_use("http://127.0.0.1:11434/v1", "") == ""
    assert proxy_in_use("http://[::1]:11434/v1", "") == ""
    monkeypatch.setenv("no_proxy", "192.168.1.5")
    assert proxy_in_use("http://192.168.1.5:11434/v1", "") == ""


def test_the_setting_is_used_for_this_machine_too(server: FakeServer) -> None:
    with TinyProxy() as proxy:
        run(openai_model(server.url, proxy=proxy.url), some_lines(1))
        assert len(proxy.targets) == 1


@pytest.mark.parametrize("shape", get_args(Shape))
def test_a_socks_proxy_resolves_the_name(server: FakeServer, shape: Shape) -> None:
    """`socks5h` leaves the name to the proxy: where a service is blocked, its name often is as well."""
    beyond = urlsplit(server.url)
    with TinySocks((str(beyond.hostname), int(beyond.port or 0))) as socks:
        proxy = f"socks5h://{socks.address}"
        url = "http://models.invalid:8080"
        assert run(model_of(shape, url, proxy=proxy), some_lines(1))[1].text
        assert socks.targets == [("models.invalid", 8080)]


def test_packages_for_socks_are_part_of_every_installation() -> None:
    locked = (Path(__file__).parents[2] / "requirements" / "base.txt").read_text(encoding="utf-8").lower()
    assert "\npysocks==" in locked


@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks5"])
@pytest.mark.parametrize(("shape", "setting"), [("gemini", "GEMINI_PROXY"), ("openai", "OPENAI_COMPATIBLE_PROXY")])
def test_a_wrong_proxy_is_named_with_its_setting_and_without_its_password(
    shape: Shape, setting: str, scheme: str
) -> None:
    port = urlsplit(closed_port()).port
    with pytest.raises(errors.ProxyDown) as raised:
        run(
            model_of(shape, "http://models.invalid", proxy=f"{scheme}://me:hunter2-password@127.0.0.1:{port}"),
            some_lines(1),
        )
    said = str(raised.value)
    assert setting in said
    assert f"{scheme}://127.0.0.1:{port}" in said
    everything = (
        said + json.dumps(raised.value.record()) + repr(raised.value.__cause__) + repr(raised.value.__context__)
    )
    assert "hunter2" not in everything
    assert "me:" not in everything


def test_a_wrong_proxy_without_a_scheme_is_named_as_it_was_written() -> None:
    proxy = closed_port().removeprefix("http://")
    with pytest.raises(errors.ProxyDown, match=f"through the proxy {proxy}") as raised:
        run(openai_model("http://models.invalid", proxy=f"me:hunter2-password@{proxy}"), some_lines(1))
    assert "hunter2" not in json.dumps(raised.value.record())


def test_a_wrong_proxy_of_the_environment_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", closed_port().replace("://", "://me:hunter2-password@"))
    with pytest.raises(errors.ProxyDown, match="HTTP_PROXY") as raised:
        run(openai_model("http://models.invalid"), some_lines(1))
    assert "hunter2" not in json.dumps(raised.value.record())


def test_a_proxy_that_wants_another_password_is_named(server: FakeServer) -> None:
    """HTTP 407."""
    with FakeServer() as proxy:
        proxy.behave(lambda _: Said(raw="Proxy Authentication Required", status=407))
        with pytest.raises(errors.ProxyDown, match="GEMINI_PROXY"):
            run(gemini_model("http://models.invalid", proxy=proxy.url), some_lines(1))


def test_a_dead_service_without_a_proxy_names_none() -> None:
    with pytest.raises(errors.ServiceDown) as raised:
        run(openai_model(closed_port()), some_lines(1))
    assert type(raised.value) is errors.ServiceDown
