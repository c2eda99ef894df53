"""Clustering of speaker vectors: which stretches of speech have the same voice, and how many voices there are.

Agglomerative clustering by mean cosine similarity. Long stretches decide, because vectors of short ones are noisy;
short ones then get the speaker whose mean vector is nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

SAME_VOICE = 0.56
"""Mean cosine similarity above which two groups of vectors are one voice. Measured with CAM++ on 14 voices, 1.5 s at a
time: 0.59 to 0.84 for one voice, at most 0.53 for two."""

_LONG = 1.5  # seconds of speech from which a vector counts as reliable
_SMALL = 3.0  # seconds of speech from which a group is a speaker
_SMALL_SHARE = 0.05  # of the speech: enough in short recordings
_CLEARLY_ANOTHER = 0.35  # similarity to every speaker below which a smaller group is a speaker too
_MOST = 4000  # vectors clustered at once: their distances take 64 MB
_SURELY_SAME = 0.75  # similarity above which vectors are joined beforehand when there are more
_OUTLIERS = 50  # small groups that may be set aside to find a known number of speakers


def cluster(vectors: Floats, seconds: Floats, speakers: int | None) -> Labels:
    """The speaker of each vector, from 0 on.

    `vectors` has rows of length 1, shape (n, d); `seconds`, shape (n,), is the speech in each. `speakers` is the number
    of speakers (fewer are found if there are fewer vectors), None to estimate it.
    """
    if not len(vectors):
        return np.zeros(0, dtype=np.int64)
    reliable = np.flatnonzero(seconds >= _LONG)
    if len(reliable) < max(2, speakers or 0):
        reliable = np.arange(len(vectors))
    voices = _voices(vectors[reliable], seconds[reliable], speakers)
    return np.asarray(np.argmax(vectors @ voices.T, axis=1), dtype=np.int64)


def _voices(vectors: Floats, seconds: Floats, speakers: int | None) -> Floats:
    """The mean vector of each speaker, of shape (speakers, d)."""
    sums, weights = _joined(vectors * seconds[:, None], seconds)
    tree = _tree(_unit(sums))
    if tree is None:
        return _unit(sums)
    if speakers is None:
        groups = _groups(_cut_at(tree, SAME_VOICE), sums, weights)
        return _estimated(groups, float(weights.sum()))
    return _into(tree, sums, weights, speakers)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    """Vectors of one voice: their mean, of length 1, and their seconds of speech."""

    mean: Floats
    seconds: float


def _groups(labels: Labels, sums: Floats, weights: Floats) -> list[_Group]:
    """The groups of a cut, the largest first."""
    found = [
        _Group(mean=_unit(sums[labels == label].sum(axis=0)), seconds=float(weights[labels == label].sum()))
        for label in np.unique(labels)
    ]
    return sorted(found, key=lambda group: -group.seconds)


def _estimated(groups: Sequence[_Group], total: float) -> Floats:
    """The means of the groups that are speakers: large ones, and smaller ones that sound like none of those."""
    large = [group.mean for group in groups if group.seconds >= _enough(total)] or [groups[0].mean]
    for group in groups[len(large) :]:
        if max(float(group.mean @ mean) for mean in large) < _CLEARLY_ANOTHER:
            large.append(group.mean)
    return np.stack(large)


def _into(tree: NDArray[np.float64], sums: Floats, weights: Floats, speakers: int) -> Floats:
    """The means of the first cut with `speakers` large groups: a cough must not take the place of a speaker."""
    enough = _enough(float(weights.sum()))
    for count in range(speakers, min(len(weights), speakers + _OUTLIERS) + 1):
        groups = _groups(_cut_into(tree, count), sums, weights)[:speakers]
        if len(groups) == speakers and groups[-1].seconds >= enough:
            break
    else:
        groups = _groups(_cut_into(tree, speakers), sums, weights)
    return np.stack([group.mean for group in groups])


def _enough(total: float) -> float:
    return min(_SMALL, _SMALL_SHARE * total)


def _joined(sums: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """At most _MOST vectors: in blocks, those that are surely of one voice are added up, else the longest are kept."""
    if len(sums) <= _MOST:
        return sums, weights
    blocks = [slice(first, first + _MOST) for first in range(0, len(sums), _MOST)]
    parts = [_groups(_cut_at(_tree(_unit(sums[block])), _SURELY_SAME), sums[block], weights[block]) for block in blocks]
    groups = sorted((group for part in parts for group in part), key=lambda group: -group.seconds)[:_MOST]
    seconds = np.array([group.seconds for group in groups], dtype=np.float32)
    return np.stack([group.mean for group in groups]) * seconds[:, None], seconds


def _tree(vectors: Floats) -> NDArray[np.float64] | None:
    """The merges of agglomerative clustering by mean similarity (see scipy's `linkage`); None for one vector."""
    from scipy.cluster.hierarchy import linkage

    return np.asarray(linkage(vectors, method="average", metric="cosine")) if len(vectors) > 1 else None


def _cut_at(tree: NDArray[np.float64] | None, similarity: float) -> Labels:
    from scipy.cluster.hierarchy import fcluster

    if tree is None:
        return np.ones(1, dtype=np.int64)
    return np.asarray(fcluster(tree, 1 - similarity, criterion="distance"), dtype=np.int64)


def _cut_into(tree: NDArray[np.float64], count: int) -> Labels:
    from scipy.cluster.hierarchy import fcluster

    return np.asarray(fcluster(tree, count, criterion="maxclust"), dtype=np.int64)


def _unit(vectors: Floats) -> Floats:
    """The vectors with length 1, along the last axis."""
    unit: Floats = vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + np.float32(1e-9))
    return unit
