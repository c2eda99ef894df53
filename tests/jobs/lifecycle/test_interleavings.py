"""Several real processes work on one job, cancel it, retry it, sweep and clean up, in an order that a seed decides.

Any of them may be killed at any stop, or stand for so long that it is taken for dead.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.databases import mostly_on
from tests.jobs import rows, steps
from tests.jobs.actors import Place
from tests.jobs.steps import Actor, World
from tests.waiting import PATIENCE

SEEDS = 5
MANY = [pytest.mark.soak, pytest.mark.timeout(7200)]
HOWEVER = [
    pytest.param(0, SEEDS, id=f"{SEEDS}"),
    *(pytest.param(first, first + 100, id=f"{first} and on", marks=MANY) for first in range(SEEDS, 500, 100)),
]
"""Five times a hundred and a few on each database: a thousand in all."""

WORK = ("work", "run", "hear", "say")
OTHERS = ("cancel", "sweep", "sweep", "tidy", "clean", "retry", "work", "work")

ONE_DIES, ONE_IS_SILENT = 0.04, 0.04
"""Shares of all steps."""

GLANCE = 0.05
"""Seconds for one who may wait for a lock, before another one has a turn."""

STEPS = 400
"""After so many, those who are left go to their ends."""


@mostly_on("postgresql")
@pytest.mark.parametrize(("first", "end"), HOWEVER)
def test_whatever_happens_the_job_ends_and_nothing_is_left(place: Place, first: int, end: int) -> None:
    for seed in range(first, end):
        world = steps.fresh(place) if seed % 2 else steps.ready(place)
        try:
            played = play(world, Random(seed))
            assert not (wrongs := world.wrongs()), (seed, wrongs, rows.told(world.job_id), played)
        finally:
            world.clear()


def play(world: World, dice: Random) -> list[tuple[str, str]]:
    """Play all turns; returns the record of them. A worker can be silenced only while it is stopped."""
    cast = [world.actor(dice.choice(WORK)), *(world.actor(dice.choice(OTHERS)) for _ in range(dice.randint(2, 3)))]
    played = list[tuple[str, str]]()
    for _ in range(STEPS):
        left = [actor for actor in cast if not actor.ended]
        if not left:
            break
        actor = dice.choice(left)
        played.append((f"{cast.index(actor)} {actor.action}", move(world, actor, left, dice)))
    steps.to_the_end(*cast)
    return played


def move(world: World, actor: Actor, left: list[Actor], dice: Random) -> str:
    """One turn of one actor; returns its result."""
    fate = dice.random()
    if fate < ONE_DIES:
        actor.kill()
        return f"killed at {actor.at.point}"
    if fate < ONE_DIES + ONE_IS_SILENT and not any(other.at.held or other.going for other in left):
        world.silence()
        return "silence"
    held_up = any(other.at.held or other.going for other in left if other is not actor)
    if not actor.going:
        actor.go(on=True)
    if not actor.hears(GLANCE if held_up else PATIENCE):
        return "waits"
    return "ends" if actor.ended else actor.at.point


def test_a_seed_tells_one_story(place: Place) -> None:
    """A seed determines all turns, so that a failure can be repeated."""
    stories: list[Any] = []
    for _ in range(2):
        world = steps.ready(place)
        try:
            stories.append([who for who, _ in play(world, Random(3))][:10])
        finally:
            world.clear()
            assert not world.wrongs()
    assert stories[0] == stories[1]
