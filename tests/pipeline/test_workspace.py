"""Work directories: hidden, locked, swept, deleted; and the publication of their files."""

from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path

import pytest

from jobs.pipeline.errors import DiskFull, Unwritable
from jobs.pipeline.media.atomic_files import PREFIX, delete_abandoned, publish, workspace, writing


def test_it_is_hidden_in_the_output_and_gone_at_the_end(tmp_path: Path) -> None:
    with workspace(tmp_path) as work:
        (work / "deep").mkdir()
        (work / "deep" / "file").touch()
        assert work.parent == tmp_path
        assert work.name.startswith(".")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_it_goes_when_the_work_fails(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), workspace(tmp_path / "new" / "newer"):
        raise error
    assert not list(tmp_path.iterdir())


def test_new_directories_stay_when_something_is_in_them(tmp_path: Path) -> None:
    with workspace(tmp_path / "new" / "newer") as work:
        (work / "result").touch()
        (work / "result").rename(tmp_path / "new" / "newer" / "result")
    assert (tmp_path / "new" / "newer" / "result").exists()


def test_an_empty_directory_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with workspace(tmp_path / "mine"):
        pass
    assert (tmp_path / "mine").is_dir()


def test_the_work_of_the_living_is_left_alone(tmp_path: Path) -> None:
    with workspace(tmp_path) as one:
        with workspace(tmp_path) as other:
            assert one.is_dir()
            assert other.is_dir()
            assert one != other
        assert one.is_dir()


def die_at_work(output: Path) -> None:
    with workspace(output) as work:
        (work / "half").touch()
        os._exit(9)


def test_the_work_of_the_dead_is_swept(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=die_at_work, args=(tmp_path,))
    process.start()
    process.join()
    assert [path.name for path in tmp_path.rglob("half")] == ["half"]
    with workspace(tmp_path) as work:
        assert list(tmp_path.iterdir()) == [work]


def test_a_directory_whose_owner_died_before_it_locked_is_swept(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}x").mkdir()
    with workspace(tmp_path) as work:
        assert list(tmp_path.iterdir()) == [work]


def test_nothing_else_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".mine").mkdir()
    (tmp_path / f"{PREFIX}file").touch()
    delete_abandoned(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Unwritable) as caught, workspace(output):
            pass
        assert str(output) in str(caught.value)


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EACCES, Unwritable)]
)
def test_what_the_system_refuses(number: int, kind: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(kind), writing(tmp_path):
        raise OSError(number, os.strerror(number))


def three_files(directory: Path) -> dict[Path, Path]:
    (directory / "work").mkdir()
    places = {directory / "work" / name: directory / name for name in "abc"}
    for path in places:
        path.write_text(path.name)
    return places


def test_all_files_are_published(tmp_path: Path) -> None:
    places = three_files(tmp_path)
    (tmp_path / "b").write_text("earlier")
    publish(places)
    assert [place.read_text() for place in places.values()] == ["a", "b", "c"]
    assert not list((tmp_path / "work").iterdir())


def test_a_directory_in_the_way_of_one_keeps_all(tmp_path: Path) -> None:
    places = three_files(tmp_path)
    (tmp_path / "a").write_text("earlier")
    (tmp_path / "c").mkdir()
    with pytest.raises(IsADirectoryError):
        publish(places)
    assert (tmp_path / "a").read_text() == "earlier"
    assert not (tmp_path / "b").exists()


def test_what_was_published_before_the_trouble_goes_again(tmp_path: Path) -> None:
    places = three_files(tmp_path)
    (tmp_path / "work" / "c").unlink()
    with pytest.raises(FileNotFoundError):
        publish(places)
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


def test_what_an_earlier_run_published_is_never_missing(tmp_path: Path) -> None:
    places = three_files(tmp_path)
    (tmp_path / "b").write_text("earlier")
    (tmp_path / "work" / "c").unlink()
    with pytest.raises(FileNotFoundError):
        publish(places)
    assert {path.name for path in tmp_path.iterdir()} == {"work", "b"}
