"""The admin: permissions, contents of the pages, effects of the actions, and that no form writes a status."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success
from pytest_django import Settings

from jobs import lifecycle
from jobs.admin import display as shown
from jobs.admin.jobs import JobAdmin
from jobs.models import (
    Artifact,
    Job,
    JobStatus,
    OwnerLimits,
    Process,
    Queue,
    SourceKind,
    StageRun,
    StageStatus,
    UsageEntry,
)
from jobs.monitoring.estimates import share_done
from jobs.pipeline.errors import EmptyFile, NoAudio
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts

pytestmark = pytest.mark.django_db

LIST = "admin:jobs_job_changelist"
PAGES = [
    LIST,
    "admin:jobs_call_changelist",
    "admin:jobs_process_changelist",
    "admin:jobs_usageentry_changelist",
    "admin:jobs_ownerlimits_changelist",
]


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "media" / "jobs").mkdir(parents=True)
    settings.STATIC_ROOT = tmp_path  # WhiteNoise warns of one that is not there.
    return tmp_path / "media"


@pytest.fixture
def sara() -> User:
    """An owner of jobs who is not staff."""
    return User.objects.create_user("sara")


@pytest.fixture
def chief(client: Client) -> User:
    """A signed-in superuser."""
    user = User.objects.create_superuser("chief")
    client.force_login(user)
    return user


def new(owner: User, *stages: Stage, **fields: Any) -> Job:
    """A queued job with its directory."""
    wanted = {"source_kind": SourceKind.LINK, "source": "https://example.org/v", "target": "fa", "title": "A lecture"}
    job = lifecycle.create(stages=stages or (Stage.SUBTITLE,), actor=owner.username, owner=owner, **wanted | fields)
    artifacts.make_job_dir(job.pk)
    return job


def begin(job: Job, queue: Queue = Queue.MEDIA) -> uuid.UUID:
    """Start the job's next stage; returns its attempt. There must be no other job."""
    claim = lifecycle.claim(queue)
    assert claim
    assert claim.job_id == job.pk
    return claim.attempt


def make_running(job: Job) -> None:
    begin(job)


def make_completed(job: Job) -> None:
    lifecycle.finish_stage(begin(job), outcome={}, result=lambda job: {"cues": 3})


def make_failed(job: Job) -> None:
    lifecycle.fail_stage(begin(job), NoAudio(detail="stream 0: video", name="talk.mp4").record(), again=False)


def make_cancelling(job: Job) -> None:
    lifecycle.cancel(job.pk, actor="sara")


def make_cancelled(job: Job) -> None:
    make_cancelling(job)
    lifecycle.finish_cancel(job.pk)


MAKE: dict[str, Callable[[Job], None]] = {
    "queued": lambda job: None,
    "running": make_running,
    "completed": make_completed,
    "failed": make_failed,
    "cancelling": make_cancelling,
    "cancelled": make_cancelled,
}


def status_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).status


def act(client: Client, action: str, *jobs: Job, **more: str) -> str:
    """Run an action; returns the page that follows."""
    data = {"action": action, "_selected_action": [str(job.pk) for job in jobs], **more}
    return text_of(client.post(reverse(LIST), data, follow=True))


def page(client: Client, name: str, *args: object, **query: str) -> str:
    return text_of(client.get(reverse(name, args=args), query))


def text_of(response: Any) -> str:
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def rows(text: str) -> int:
    """The number of jobs that a list shows."""
    return text.count('name="_selected_action"')


# Who may look


@pytest.mark.parametrize("name", PAGES)
def test_strangers_are_sent_to_the_login(client: Client, name: str) -> None:
    response = client.get(reverse(name))
    assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("admin:login"))


@pytest.mark.parametrize("name", PAGES)
def test_who_is_not_of_the_staff_is_sent_to_the_login(client: Client, sara: User, name: str) -> None:
    client.force_login(sara)
    response = client.get(reverse(name))
    assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("admin:login"))


@pytest.mark.parametrize("name", PAGES)
def test_staff_without_a_permission_are_refused(client: Client, name: str) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(reverse(name)).status_code == 403


@pytest.fixture
def viewer(client: Client) -> User:
    """A signed-in staff user who may view jobs."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(user)
    return user


def test_who_may_only_view_jobs_is_offered_no_action(client: Client, sara: User, viewer: User) -> None:
    new(sara)
    assert 'name="action"' not in page(client, LIST)


def test_who_may_only_view_jobs_cannot_cancel(client: Client, sara: User, viewer: User) -> None:
    job = new(sara)
    client.post(reverse(LIST), {"action": "cancel", "_selected_action": [str(job.pk)]})
    assert status_of(job) == JobStatus.QUEUED


@pytest.fixture
def steward(viewer: User) -> User:
    """A signed-in staff user who may view and change jobs, but not delete them."""
    viewer.user_permissions.add(Permission.objects.get(codename="change_job"))
    return viewer


def test_who_may_not_delete_jobs_is_not_offered_it(client: Client, sara: User, steward: User) -> None:
    new(sara)
    offered = re.findall(r'<option value="(\w+)"', page(client, LIST))
    assert "cancel" in offered
    assert "delete_files" not in offered


def test_who_may_not_delete_jobs_cannot(client: Client, sara: User, steward: User) -> None:
    job = new(sara)
    make_completed(job)
    act(client, "delete_files", job, confirmed="yes")
    assert status_of(job) == JobStatus.COMPLETED


def test_who_may_delete_jobs_can(client: Client, sara: User, viewer: User) -> None:
    viewer.user_permissions.add(Permission.objects.get(codename="delete_job"))
    job = new(sara)
    make_completed(job)
    act(client, "delete_files", job, confirmed="yes")
    assert not Job.objects.exists()


@pytest.mark.parametrize("model", [Schedule, OrmQ, Success, Failure])
def test_nothing_of_the_queue_is_written_by_hand(client: Client, chief: User, model: type[Model]) -> None:
    """Tasks and schedules have no forms: a schedule could name any function."""
    assert not site.is_registered(model)
    assert client.get(f"/admin/django_q/{model._meta.model_name}/add/").status_code == 404


def test_cleanup_is_all_that_is_done_by_the_clock() -> None:
    assert [schedule.func for schedule in Schedule.objects.all()] == ["jobs.storage.retention.scheduled"]


# What is shown


def test_the_list_shows_a_job(client: Client, sara: User, chief: User) -> None:
    job = new(sara, Stage.FETCH, Stage.SUBTITLE)
    lifecycle.finish_stage(begin(job), outcome={})
    text = page(client, LIST)
    for part in ("A lecture", "Running", "Subtitle (Ready)", ">sara<", "<progress"):
        assert part in text
    assert "Fetch (" not in text


def test_a_title_is_never_markup(client: Client, sara: User, chief: User) -> None:
    job = new(sara, title="<script>alert(1)</script>", source="<script>alert(1)</script>")
    for text in (page(client, LIST), page(client, "admin:jobs_job_change", job.pk)):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


def test_the_page_of_a_job_shows_all_about_it(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    UsageEntry.objects.create(job=job, owner=sara, stage="translate", engine="parrot", input_tokens=77_123)
    Artifact.objects.create(job=job, kind="source", name="one/video.mkv", size=4_200_000)
    make_failed(job)
    text = page(client, "admin:jobs_job_change", job.pk)
    sentence = "“talk.mp4” has no sound"
    for part in (sentence, "NoAudio", "stream 0: video", "parrot", "77,123", "one/video.mkv", "4.2 MB"):
        assert part in text
    for transition in job.transitions.all():
        assert shown.exactly(transition.at) in text


def test_an_error_that_nobody_knows_is_shown_as_it_is(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    lifecycle.fail_stage(begin(job), {"code": EmptyFile.__name__, "params": {}, "detail": ""}, again=False)
    assert "&#x27;params&#x27;: {}" in page(client, "admin:jobs_job_change", job.pk)


def test_a_job_that_is_not_there(client: Client, chief: User) -> None:
    response = client.get(reverse("admin:jobs_job_change", args=[uuid.uuid4()]))
    assert (response.status_code, response["Location"]) == (302, reverse("admin:index"))


# Finding jobs


def test_filter_by_status(client: Client, sara: User, chief: User) -> None:
    make_failed(new(sara))
    new(sara)
    assert rows(page(client, LIST)) == 2
    assert rows(page(client, LIST, status__exact="failed")) == 1
    assert rows(page(client, LIST, status__exact="cancelled")) == 0


def test_filter_by_current_stage(client: Client, sara: User, chief: User) -> None:
    moved_on = new(sara, Stage.FETCH, Stage.SUBTITLE)
    lifecycle.finish_stage(begin(moved_on), outcome={})
    new(sara, Stage.FETCH, Stage.SUBTITLE)
    new(sara, Stage.FETCH, Stage.SUBTITLE)
    assert rows(page(client, LIST, stage="subtitle")) == 1
    assert rows(page(client, LIST, stage="fetch")) == 2
    assert rows(page(client, LIST, stage="render")) == 0


def test_filter_by_owner(client: Client, sara: User, chief: User) -> None:
    new(sara)
    new(sara)
    new(chief)
    assert "<bdi>sara</bdi> (2)" in page(client, LIST)
    assert rows(page(client, LIST, owner="sara")) == 2
    assert rows(page(client, LIST, owner="nobody")) == 0


def test_only_owners_with_many_jobs_are_offered(client: Client, chief: User) -> None:
    for number in range(25):
        new(User.objects.create(username=f"user{number:02}"))
    text = page(client, LIST, owner="user24")
    assert len(re.findall(r"user\d\d</bdi> \(1\)", text)) == 20
    assert rows(text) == 1


@pytest.mark.parametrize(("age", "found"), [("hour", 1), ("day", 2), ("week", 3), ("older", 1), ("nonsense", 4)])
def test_filter_by_age(client: Client, sara: User, chief: User, age: str, found: int) -> None:
    for hours in (0, 2, 50, 500):
        new(sara, created=timezone.now() - timedelta(hours=hours))
    assert rows(page(client, LIST, age=age)) == found


@pytest.mark.parametrize("words", ["lecture", "example.org", "SARA", "sara lecture"])
def test_search_by_words(client: Client, sara: User, chief: User, words: str) -> None:
    new(sara)
    new(chief, title="Another", source="talk.mkv")
    assert rows(page(client, LIST, q=words)) == 1


def test_search_by_id(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    new(sara)
    assert rows(page(client, LIST, q=f" {job.pk} ")) == 1


# Nothing is written by hand


@pytest.mark.parametrize("status", JobStatus.values)
def test_no_form_writes_the_status_of_a_job(client: Client, sara: User, chief: User, status: str) -> None:
    job = new(sara)
    before = Job.objects.values().get()
    address = reverse("admin:jobs_job_change", args=[job.pk])
    assert client.post(address, {"status": status, "error": "{}", "result": "{}", "_save": "Save"}).status_code == 403
    assert Job.objects.values().get() == before


def test_no_inline_form_writes_the_status_of_a_stage(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    forms = {"stages-TOTAL_FORMS": "1", "stages-INITIAL_FORMS": "1", "stages-0-id": str(job.stages.get().pk)}
    forms |= {"stages-0-job": str(job.pk), "stages-0-status": "done"}
    client.post(reverse("admin:jobs_job_change", args=[job.pk]), forms)
    assert job.stages.get().status == StageStatus.READY


def test_no_list_writes_the_status_of_a_job(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    forms = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(job.pk), "form-0-status": "failed"}
    client.post(reverse(LIST), {**forms, "_save": "Save"})
    assert status_of(job) == JobStatus.QUEUED


def test_the_page_of_a_job_has_nothing_to_fill_in(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    main = page(client, "admin:jobs_job_change", job.pk).split('id="job_form"')[1].split("</form>")[0]
    fields = set(re.findall(r'<(?:input|select|textarea)[^>]*name="([^"]+)"', main))
    assert {name for name in fields if not name.endswith("_FORMS") and name != "csrfmiddlewaretoken"} <= hidden(job)
    assert 'type="submit"' not in main


def hidden(job: Job) -> set[str]:
    """The hidden primary keys that Django puts into every inline."""
    names = {"stages": job.stages, "transitions": job.transitions}
    return {f"{name}-{row}-{key}" for name in names for row in range(9) for key in ("id", "job")}


@pytest.mark.parametrize("model", ["job", "usageentry", "process", "call"])
def test_nothing_of_it_is_added_by_hand(client: Client, chief: User, model: str) -> None:
    address = reverse(f"admin:jobs_{model}_add")
    assert [client.get(address).status_code, client.post(address).status_code] == [403, 403]


def test_no_job_is_deleted_by_the_usual_ways(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    assert client.post(reverse("admin:jobs_job_delete", args=[job.pk]), {"post": "yes"}).status_code == 403
    act(client, "delete_selected", job, post="yes")
    assert status_of(job) == JobStatus.QUEUED


# Actions


@pytest.mark.parametrize("state", ["queued", "running"])
def test_cancel(client: Client, sara: User, chief: User, state: str) -> None:
    job = new(sara)
    MAKE[state](job)
    assert "Cancelling: 1." in act(client, "cancel", job)
    assert status_of(job) == JobStatus.CANCELLING
    assert job.transitions.filter(to_status=JobStatus.CANCELLING).get().actor == "chief"


@pytest.mark.parametrize("state", ["completed", "failed", "cancelling", "cancelled"])
def test_cancel_what_has_ended(client: Client, sara: User, chief: User, state: str) -> None:
    job = new(sara)
    MAKE[state](job)
    assert "Not cancelled (already finished or being cancelled): 1." in act(client, "cancel", job)
    assert status_of(job) == state


def test_retry(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    make_failed(job)
    assert "Queued again: 1." in act(client, "retry", job)
    assert status_of(job) == JobStatus.QUEUED
    assert job.transitions.filter(from_status=JobStatus.FAILED, stage="").get().actor == "chief"


@pytest.mark.parametrize("state", ["queued", "running", "completed", "cancelling", "cancelled"])
def test_retry_what_has_not_failed(client: Client, sara: User, chief: User, state: str) -> None:
    job = new(sara)
    MAKE[state](job)
    assert "Not resumed (they have not failed): 1." in act(client, "retry", job)
    assert status_of(job) == state


def test_an_action_on_jobs_of_both_kinds_tells_of_both(client: Client, sara: User, chief: User) -> None:
    failed = new(sara)
    make_failed(failed)
    text = act(client, "retry", failed, new(sara))
    assert "Queued again: 1." in text
    assert "Not resumed (they have not failed): 1." in text


@pytest.mark.parametrize(("action", "before"), [("keep_running_on", False), ("keep_running_off", True)])
def test_keep_running(client: Client, sara: User, chief: User, action: str, before: bool) -> None:
    job = new(sara, keep_running=before)
    act(client, action, job)
    assert Job.objects.get(pk=job.pk).keep_running is not before


def test_keep_running_what_has_ended(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    make_completed(job)
    assert "Skipped (already finished): 1." in act(client, "keep_running_on", job)
    assert not Job.objects.get(pk=job.pk).keep_running


@pytest.mark.parametrize(("action", "before"), [("pin", False), ("unpin", True)])
def test_pin(client: Client, sara: User, chief: User, action: str, before: bool) -> None:
    job = new(sara, pinned=before)
    make_completed(job)
    act(client, action, job)
    assert Job.objects.get(pk=job.pk).pinned is not before


def test_pin_what_is_cancelled(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    make_cancelled(job)
    assert "Not pinned (cancelled): 1." in act(client, "pin", job)
    assert not Job.objects.get(pk=job.pk).pinned


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
def test_delete_files(client: Client, sara: User, chief: User, media: Path, state: str) -> None:
    job = new(sara)
    MAKE[state](job)
    (artifacts.job_dir(job.pk) / "video.mkv").write_bytes(b"v")
    assert "Deleted: 1." in act(client, "delete_files", job, confirmed="yes")
    assert not Job.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file() and path.name != "installation.id"]
    assert LogEntry.objects.get().object_id == str(job.pk)


def test_delete_files_asks_first(client: Client, sara: User, chief: User) -> None:
    ended = new(sara, title="Has ended")
    make_completed(ended)
    Artifact.objects.create(job=ended, kind="source", name="one/video.mkv", size=4_200_000)
    text = act(client, "delete_files", ended, new(sara, title="Has not"))
    assert "Has ended" in text
    assert "4.2 MB" in text
    assert "Not included: 1" in text
    assert Job.objects.count() == 2
    assert artifacts.job_dir(ended.pk).exists()


def test_what_was_asked_is_what_is_deleted(client: Client, sara: User, chief: User) -> None:
    ended, other = new(sara), new(sara)
    make_completed(ended)
    form = act(client, "delete_files", ended).split('id="content"')[1]
    answer = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    client.post(reverse(LIST), answer)
    assert Job.objects.get() == other


@pytest.mark.parametrize("state", ["queued", "running", "cancelling"])
def test_delete_files_of_what_has_not_ended(client: Client, sara: User, chief: User, state: str) -> None:
    job = new(sara)
    MAKE[state](job)
    text = act(client, "delete_files", job, confirmed="yes")
    assert "Not deleted (not finished; cancel them first): 1." in text
    assert "could not be removed" not in text
    assert status_of(job) == state
    assert artifacts.job_dir(job.pk).exists()


def test_a_job_that_began_again_since_it_was_selected_keeps_its_files(sara: User) -> None:
    job = new(sara)
    make_failed(job)
    lifecycle.retry(job.pk, "sara")
    assert not JobAdmin(Job, site)._delete(RequestFactory().post(reverse(LIST)), job.pk)
    assert artifacts.job_dir(job.pk).exists()


def test_a_job_stays_while_its_files_resist(client: Client, sara: User, chief: User, media: Path) -> None:
    job = new(sara)
    make_completed(job)
    (media / ".trash").write_text("in the way")
    assert "Not deleted (files could not be removed): 1." in act(client, "delete_files", job, confirmed="yes")
    assert status_of(job) == JobStatus.COMPLETED


def test_an_action_on_all_jobs_that_a_filter_finds(client: Client, sara: User, chief: User) -> None:
    mine, hers = new(chief), new(sara)
    data = {"action": "cancel", "_selected_action": [str(hers.pk)], "select_across": "1"}
    client.post(f"{reverse(LIST)}?owner=sara", data)
    assert [status_of(hers), status_of(mine)] == [JobStatus.CANCELLING, JobStatus.QUEUED]


# Clusters and workers


def worker(cluster: str, seconds: float, **more: Any) -> Process:
    """A worker whose last heartbeat is so many seconds old."""
    facts = {"host": f"{cluster}-box", "boot_id": "b", "pid": 4321, "started": 1}
    return Process.objects.create(cluster=cluster, seen=timezone.now() - timedelta(seconds=seconds), **facts | more)


def cells(text: str, name: str) -> list[str]:
    """The texts of the table row with the heading `name`."""
    row = text.split(f'<th scope="row"><bdi dir="ltr">{name}</bdi></th>')[1].split("</tr>")[0]
    return [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in re.findall(r"<td>(.*?)</td>", row, re.S)]


WORKERS = "admin:jobs_process_changelist"


def test_the_length_of_each_queue(client: Client, sara: User, chief: User) -> None:
    first = new(sara)
    begin(first)
    for _ in range(2):
        new(sara)
    new(sara, Stage.TRANSLATE)
    text = page(client, WORKERS)
    waiting, _, running, tickets, workers, _ = cells(text, "media")
    assert (waiting, running, tickets) == ("2", "1", "3")
    assert workers == "0 jobs are waiting, but no worker is running"
    assert cells(text, "text")[0] == "1"
    assert cells(text, "speech") == ["0", "", "0", "0", "0", "never"]


def test_live_workers_are_counted(client: Client, chief: User) -> None:
    worker("speech", 3)
    worker("speech", 19, pid=4322)
    worker("speech", 21, pid=4323)
    assert cells(page(client, WORKERS), "speech")[4] == "2"


def test_a_worker_is_shown_with_its_signs_of_life(client: Client, chief: User) -> None:
    worker("media", 3, last_claim=timezone.now() - timedelta(seconds=65))
    host, pid, seen, claim, _ = cells(page(client, WORKERS).split('id="workers"')[1], "media")
    assert (host, pid, claim) == ("media-box", "4321", "1 min 5 s ago")
    assert re.fullmatch(r"3\.\d s ago", seen)


@pytest.mark.parametrize(("seconds", "marked"), [(19, False), (21, True)])
def test_a_worker_without_a_sign_of_life_is_marked(client: Client, chief: User, seconds: int, marked: bool) -> None:
    worker("web", seconds)
    assert ("no heartbeat" in cells(page(client, WORKERS), "web")[2]) is marked


def test_a_worker_shows_what_it_runs(client: Client, sara: User, chief: User) -> None:
    job = new(sara)
    lifecycle.claim("media", worker("media", 0))
    text = page(client, WORKERS).split('id="workers"')[1]
    assert cells(text, "media")[4] == "Subtitle"
    assert reverse("admin:jobs_job_change", args=[job.pk]) in text


def test_a_worker_of_long_ago_is_not_shown(client: Client, chief: User) -> None:
    worker("web", 25 * 3600)
    assert "web-box" not in page(client, WORKERS)


@pytest.mark.parametrize("name", ["admin:index", LIST])
def test_the_page_of_the_clusters_is_found(client: Client, chief: User, name: str) -> None:
    assert f'href="{reverse(WORKERS)}"' in page(client, name)


# Limits and usage


def test_limits_are_edited(client: Client, sara: User, chief: User) -> None:
    client.post(reverse("admin:jobs_ownerlimits_add"), {"owner": sara.pk, "running": "5", "stored_bytes": "0"})
    limits = OwnerLimits.objects.get(owner=sara)
    assert (limits.running, limits.queued, limits.minutes_a_day, limits.stored_bytes) == (5, None, None, 0)


def test_usage_is_listed(client: Client, sara: User, chief: User) -> None:
    UsageEntry.objects.create(job=new(sara), owner=sara, stage="translate", engine="parrot", input_tokens=77_123)
    text = page(client, "admin:jobs_usageentry_changelist")
    for part in ("sara", "A lecture", "parrot", "77,123"):
        assert part in text


def test_usage_is_not_deleted_by_hand(client: Client, sara: User, chief: User) -> None:
    entry = UsageEntry.objects.create(owner=sara, stage="translate", engine="parrot")
    assert client.post(reverse("admin:jobs_usageentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert UsageEntry.objects.exists()


def test_usage_goes_with_its_owner(client: Client, sara: User, chief: User) -> None:
    UsageEntry.objects.create(owner=sara, stage="translate", engine="parrot")
    response: Any = client.post(reverse("admin:auth_user_delete", args=[sara.pk]), {"post": "yes"})
    assert response.status_code == 302
    assert not UsageEntry.objects.exists()


# How things are shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0.0 s"),
        (0.34, "0.3 s"),
        (9.99, "10.0 s"),
        (59.6, "1 min"),
        (75, "1 min 15 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (93_784, "1 d 2 h"),
    ],
)
def test_spans_of_time(seconds: float, words: str) -> None:
    assert shown.span(timedelta(seconds=seconds)) == words


def test_the_share_of_a_job_counts_only_its_stages() -> None:
    done = StageRun(stage=Stage.FETCH, status=StageStatus.DONE, progress=0.2)
    half = StageRun(stage=Stage.TRANSLATE, status=StageStatus.RUNNING, progress=0.5)
    assert share_done([done, half]) == pytest.approx(0.10 / 0.15)
    assert share_done([]) == 0


def test_waits_and_work_are_told_apart(sara: User) -> None:
    start = timezone.now()
    job = Job(created=start, ended=start + timedelta(seconds=90))
    run = StageRun(started=start + timedelta(seconds=30))
    assert shown.waited(job, [run]) == timedelta(seconds=30)
    assert shown.worked(job, [run]) == timedelta(seconds=60)
    assert shown.worked(job, []) is None


def test_a_bar_stays_within_its_bounds() -> None:
    assert 'value="100"' in shown.bar(1.7)
    assert 'value="0"' in shown.bar(-1)
