"""Two real processes: one is stopped at each of its commit points and beside each outside effect, the other one acts;
then the first goes on, or is killed. Whatever happens, no row contradicts another one, no file and no process is left
behind, and every job ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.databases import mostly_on
from tests.jobs import rows, steps
from tests.jobs.actors import Place
from tests.jobs.steps import Actor, World, dead, doomed, ended, fresh, ready, to_the_end

Begin = Callable[[Place], World]

FEW = 56
"""Of the points, every fifty-sixth by default, other ones for each pair and fate. All of them in `make soak`."""

PAIRS: dict[str, tuple[Begin, str, str]] = {
    "cancel against completion": (ready, "run", "cancel"),
    "completion against cancel": (ready, "cancel", "run"),
    "cancel against the claim that begins a job": (fresh, "cancel", "run"),
    "a ticket twice": (ready, "run", "run"),
    "two sweepers, a dead worker": (dead, "sweep", "sweep"),
    "two sweepers, a dead worker, a job to be cancelled": (doomed, "sweep", "sweep"),
    "sweep against cancel": (dead, "sweep", "cancel"),
    "cancel against sweep": (dead, "cancel", "sweep"),
    "sweep against a ticket": (dead, "sweep", "run"),
    "two who cancel": (dead, "cancel", "cancel"),
    "a stage against cleanup": (ready, "run", "clean"),
    "cleanup against a stage": (ready, "clean", "run"),
    "cleanup against sweep": (doomed, "clean", "sweep"),
    "sweep against cleanup": (doomed, "sweep", "clean"),
    "two who clean up": (ended, "clean", "clean"),
}
"""The state at the start, the actor that is stopped, and the one that acts meanwhile."""

pytestmark = mostly_on("postgresql")


def goes_on(one: Actor, other: Actor) -> None:
    """Let the second actor act while the first one is stopped."""
    to_the_end(other, one)


def dies(one: Actor, other: Actor) -> None:
    """Kill the first actor at its stop, then let the second act."""
    one.kill()
    to_the_end(other)


FATES = (goes_on, dies)


def counts(full: bool) -> Any:
    marks = [pytest.mark.soak, pytest.mark.timeout(7200)] if full else []
    return pytest.param(full, id="all" if full else "some", marks=marks)


thorough = pytest.mark.parametrize("thorough", [counts(False), counts(True)])


@contextmanager
def right(world: World) -> Iterator[World]:
    """Run the actors inside, and check afterwards that nothing is wrong."""
    try:
        yield world
        told = [(actor.action, actor.points) for actor in world.cast]
        assert not (wrongs := world.wrongs()), (wrongs, rows.told(world.job_id), told)
    finally:
        world.clear()


def points_of(begin: Begin, place: Place, action: str) -> list[str]:
    """The stops of an undisturbed actor with this action."""
    with right(begin(place)) as world:
        alone = world.actor(action)
        while not alone.ended:
            alone.to(len(alone.seen))
        return alone.points


def commits(points: list[str]) -> list[int]:
    """The indexes of the points before and after a commit."""
    return [number for number, point in enumerate(points) if point.endswith("is committed")]


@thorough
@pytest.mark.parametrize("name", PAIRS)
def test_one_stands_while_the_other_acts(place: Place, name: str, thorough: bool) -> None:
    begin, one, other = PAIRS[name]
    points = points_of(begin, place, one)
    shift = list(PAIRS).index(name)
    for number in range(len(points)):
        for fate, play in enumerate(FATES):
            if not thorough and (number + shift + fate * FEW // 2) % FEW:
                continue
            with right(begin(place)) as world:
                first, second = world.actor(one), world.actor(other)
                assert first.to(number)
                play(first, second)


@thorough
def test_a_stage_that_lost_its_attempt_writes_nothing(place: Place, thorough: bool) -> None:
    """An actor is stopped until it counts as dead; another one does its work; then the first continues."""
    points = points_of(ready, place, "run")
    steps = ("claims._start", "stages.finish_stage")
    first, last = (points.index(f"after lifecycle.{step} is committed") for step in steps)
    for number in range(first, last - 1, 1 if thorough else 4):
        with right(ready(place)) as world:
            late = world.actor("run")
            assert late.to(number)
            world.silence()
            to_the_end(world.actor("sweep"))
            to_the_end(world.actor("run"))
            before = rows.everything(world.job_id)
            assert rows.status(world.job_id) == "completed"
            to_the_end(late)
            assert rows.everything(world.job_id) == before


@thorough
def test_a_stage_is_done_while_a_sweep_takes_it_over(place: Place, thorough: bool) -> None:
    """A silent but live worker is about to finish its stage while the sweep is stopped."""
    points = points_of(ready, place, "run")
    brink = points.index("before lifecycle.stages.finish_stage is committed") - 1
    for number in range(1, 100, 1 if thorough else 2):
        with right(ready(place)) as world:
            late = world.actor("run")
            assert late.to(brink)
            world.silence()
            sweep = world.actor("sweep")
            if not sweep.to(number):
                assert number > 5
                break
            to_the_end(late, sweep)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("name", list(PAIRS)[:10])
def test_both_stand(place: Place, name: str, fate: Callable[[Actor, Actor], None]) -> None:
    """All pairs of commits: both actors are stopped at one before the first continues, or is killed."""
    begin, one, other = PAIRS[name]
    for number in commits(points_of(begin, place, one)):
        for at in commits(points_of(begin, place, other)):
            with right(begin(place)) as world:
                first, second = world.actor(one), world.actor(other)
                assert first.to(number)
                while not second.ended and len(second.seen) <= at and second.step(steps.HELD_UP):
                    pass
                fate(first, second)
