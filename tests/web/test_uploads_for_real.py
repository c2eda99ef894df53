"""Uploads to a real web server that is killed in the middle of them, by the script of our pages in a real browser."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from jobs.models import Job
from jobs.storage import artifacts
from jobs.web.uploads import protocol as tus
from tests.browser.people import chromium, window
from tests.databases import on_database
from tests.jobs import rows
from tests.jobs.conftest import mounted
from tests.jobs.stack import ROOT
from tests.waiting import until
from tests.web.server import Server, cookies, headers, size_of
from tests.web.tus_client import PIECE, job_of

SIZE = 18 << 20


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(random.Random(5).randbytes(SIZE))
    return path


@pytest.fixture
def page(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page of the server's in which `upload.js` can be imported."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs a loop in this thread,
    with chromium() as browser, on_database(server.url):  # in which Django keeps other connections
        context = window(browser)
        jar = cookies(rows.owner())
        context.add_cookies([{"name": name, "value": value, "url": server.base} for name, value in jar.items()])
        context.route("**/static/**", _static)
        context.route("**/page", lambda route: route.fulfill(content_type="text/html", body=PAGE))
        found = context.new_page()
        found.goto(f"{server.base}/page")
        yield found


PAGE = """<!doctype html>
<script src="/static/vendor/web/tus.min.js"></script>
<input type=file multiple>
<script type="module">
import { upload } from "/static/web/upload.js";
const told = window.told = { sent: [], waits: [], problems: [], done: 0 };
window.begin = (urls) => {
  const files = document.querySelector("input").files;
  window.uploads = urls.map((url, number) => upload(files[number], {
    url,
    onProgress: (seen) => told.sent.push(seen),
    onWaiting: (wait) => told.waits.push(wait),
    onProblem: (problem) => told.problems.push(problem),
    onDone: () => told.done++,
  }));
};
</script>"""


def _static(route: Route) -> None:
    path = ROOT / route.request.url.partition("//")[2].partition("/")[2]
    route.fulfill(path=path, content_type="text/javascript")


def file_of(job: Job) -> Path:
    return artifacts.job_dir(job.pk) / "source.mp4"


def told(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("told")
    return found


def done(page: Page, count: int = 1) -> dict[str, Any]:
    page.wait_for_function(f"told.done == {count} || told.problems.length")
    return told(page)


def test_cut_three_times_by_a_kill(server: Server, film: Path) -> None:
    """In the middle of a piece that is being sent, then of pieces that are being written."""
    job, data = job_of(rows.owner(), SIZE), film.read_bytes()
    who = headers(job.owner)
    for share in (0, 0.37, 0.99):
        start = offset(server, job, who)
        assert file_of(job).read_bytes() == data[:start] if start else not file_of(job).exists()
        with server.connect() as connection:
            sent = {**who, "Upload_Offset": str(start), "Content_Type": PIECE, "Content_Length": str(SIZE - start)}
            connection.putrequest("PATCH", f"/uploads/{job.pk}")
            for name, value in sent.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            connection.send(data[start:] if share else data[: SIZE // 2])
            until(lambda share=share: size_of(file_of(job)) >= share * SIZE, every=0)  # type: ignore[misc]
            server.kill()
        server.start()
    start = offset(server, job, who)
    if start < SIZE:
        answer = server.ask(
            "PATCH", f"/uploads/{job.pk}", data[start:], **who, Upload_Offset=str(start), Content_Type=PIECE
        )
        assert answer.status == 204
    assert offset(server, job, who) == SIZE
    assert rows.status(job.pk) == "queued"
    assert file_of(job).read_bytes() == data


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """A directory for temporary files with no room."""
    yield from mounted(tmp_path / "temporary", "size=4k")


def test_an_upload_needs_no_room_for_temporary_files(
    database: str, media_root: Path, film: Path, temporary: Path
) -> None:
    job, data = job_of(rows.owner(), SIZE), film.read_bytes()
    sent = {**headers(job.owner), "Upload_Offset": "0", "Content_Type": PIECE}
    with Server(database, media_root, {"TMPDIR": str(temporary)}).running() as server:
        assert server.ask("PATCH", f"/uploads/{job.pk}", data, **sent).status == 204
    assert file_of(job).read_bytes() == data


def test_bodies_in_memory_are_as_large_as_pieces(settings: Any) -> None:
    assert settings.FILE_UPLOAD_MAX_MEMORY_SIZE == tus.MAX_CHUNK_BYTES


def offset(server: Server, job: Job, who: dict[str, str]) -> int:
    answer = server.ask("HEAD", f"/uploads/{job.pk}", **who)
    assert answer.status == 200
    return int(answer.headers["Upload-Offset"])


@pytest.mark.soak
def test_two_at_once_go_on_by_themselves_when_the_server_is_back(server: Server, page: Page, film: Path) -> None:
    second = film.with_name("second.mp4")
    second.write_bytes(film.read_bytes()[::-1])
    jobs = [job_of(rows.owner(), SIZE) for _ in range(2)]
    page.set_input_files("input", [film, second])
    page.evaluate("urls => begin(urls)", [f"/uploads/{job.pk}" for job in jobs])
    until(lambda: all(size_of(file_of(job)) > 1 << 20 for job in jobs), every=0.001)
    server.kill()
    page.wait_for_function("told.waits.length >= 2")
    server.start()
    found = done(page, 2)
    assert (found["done"], found["problems"]) == (2, [])
    assert file_of(jobs[0]).read_bytes() == film.read_bytes()
    assert file_of(jobs[1]).read_bytes() == second.read_bytes()
    assert {rows.status(job.pk) for job in jobs} == {"queued"}
    assert 900 < found["waits"][0]["milliseconds"] <= 15_000
    last = found["sent"][-1]
    assert (last["sent"], last["total"], last["secondsLeft"]) == (SIZE, SIZE, 0)
    assert last["bytesPerSecond"] > 0


@pytest.mark.soak
def test_another_page_goes_on_with_the_same_file_when_the_network_is_back(
    server: Server, page: Page, film: Path
) -> None:
    job = job_of(rows.owner(), SIZE)
    page.set_input_files("input", film)
    page.evaluate("urls => begin(urls)", [f"/uploads/{job.pk}"])
    until(lambda: size_of(file_of(job)) >= 8 << 20, every=0.001)
    page.reload()
    page.set_input_files("input", film)
    page.context.set_offline(True)
    page.evaluate("urls => begin(urls)", [f"/uploads/{job.pk}"])
    page.wait_for_function("told.waits.length == 2")
    page.context.set_offline(False)
    assert done(page)["problems"] == []
    assert len(told(page)["waits"]) == 2
    assert file_of(job).read_bytes() == film.read_bytes()
    assert told(page)["sent"][0]["sent"] >= 8 << 20
    paused_resumed_and_refused(server, page)


def paused_resumed_and_refused(server: Server, page: Page) -> None:
    page.reload()
    page.set_input_files("input", __file__)
    job = job_of(rows.owner(), SIZE)
    page.evaluate("urls => { begin(urls); uploads[0].pause() }", [f"/uploads/{job.pk}"])
    page.wait_for_timeout(500)  # something may be sent after all
    assert told(page) == {"sent": [], "waits": [], "problems": [], "done": 0}
    who = headers(rows.owner())
    assert server.ask("DELETE", f"/uploads/{job.pk}", **who).status == 204
    page.evaluate("uploads[0].resume()")
    problem = done(page)["problems"][0]
    assert problem == {"status": 410, "sentence": "This upload has ended. Start again."}
