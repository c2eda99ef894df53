"""Mixing of several channels into one for recognition, so that no speech is cancelled or drowned.

An ordinary mix is right for most films. It is wrong where the sides are opposite in phase (they cancel each other out),
where a side holds only noise or hum, and where the speech of a film is in the centre channel under loud effects. So
the channels are measured in blocks of BLOCK seconds: where there is speech, and how far it stands above the quiet
moments. A way of mixing is accepted when it keeps the speech of every channel and stands not much less above the noise
than the best way does. Films change: each block is judged by itself, and keeps the way of the last one if it can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.pipeline.protocols import INVERTED, MIX, SAMPLE_RATE, Samples
from jobs.pipeline.speech.voice_activity import speech_regions

BLOCK = 10.0
"""Seconds that are judged at once."""

LAYOUTS: Mapping[str, tuple[str, ...]] = {
    name: tuple(channels.split("+"))
    for name, channels in (
        *(("mono", "FC"), ("stereo", "FL+FR"), ("downmix", "FL+FR"), ("binaural", "FL+FR"), ("2 channels", "FL+FR")),
        *(("2.1", "FL+FR+LFE"), ("3.0", "FL+FR+FC"), ("3.0(back)", "FL+FR+BC"), ("4.0", "FL+FR+FC+BC")),
        *(("quad", "FL+FR+BL+BR"), ("quad(side)", "FL+FR+SL+SR"), ("3.1", "FL+FR+FC+LFE")),
        *(("5.0", "FL+FR+FC+BL+BR"), ("5.0(side)", "FL+FR+FC+SL+SR"), ("4.1", "FL+FR+FC+LFE+BC")),
        *(("5.1", "FL+FR+FC+LFE+BL+BR"), ("5.1(side)", "FL+FR+FC+LFE+SL+SR"), ("6.0", "FL+FR+FC+BC+SL+SR")),
        *(("hexagonal", "FL+FR+FC+BL+BR+BC"), ("6.1", "FL+FR+FC+LFE+BC+SL+SR"), ("6.1(back)", "FL+FR+FC+LFE+BL+BR+BC")),
        *(("7.0", "FL+FR+FC+BL+BR+SL+SR"), ("7.1", "FL+FR+FC+LFE+BL+BR+SL+SR")),
        *(("7.1(wide)", "FL+FR+FC+LFE+BL+BR+FLC+FRC"), ("7.1(wide-side)", "FL+FR+FC+LFE+FLC+FRC+SL+SR")),
        *(("5.1.2", "FL+FR+FC+LFE+SL+SR+TFL+TFR"), ("5.1.4", "FL+FR+FC+LFE+SL+SR+TFL+TFR+TBL+TBR")),
        *(("7.1.2", "FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR"), ("7.1.4", "FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR+TBL+TBR")),
    )
}
"""Channels of ffmpeg's layouts, in their order."""

_SHARES = {"FC": 1.0, "FL": 0.707, "FR": 0.707, "LFE": 0.0}
"""Shares of channels in an ordinary mix, as ITU-R BS.775 and ffmpeg have them; those not named get 0.5."""

_SHORTEST = 2.5  # seconds: a block in which the best way changes is halved down to this length
_FRAME = 320  # samples of a frame of the comparison: 20 ms
_SILENT, _FAR_BELOW = -70.0, -50.0  # dBFS, and dB below the loudest channel: a channel without sound
_ALIKE = 0.95  # correlation from which channels are the same, and any mix of them is good
_CLEAR = 6.0  # dB above its noise from which the speech of a channel counts, if another has clearer speech
_LOUDER = 6.0  # dB above the noise from which a frame of speech counts
_CANCELLED = 0.5  # share of the power of unrelated channels below which a mix cancels speech
_OPPOSITE = -0.5  # correlation below which channels cancel each other out
_VOICES = (200.0, 3500.0)  # Hz: the band in which levels and correlations are measured
_QUIETEST = -75.0  # dBFS: differences below it are noise of the recorder
_MARGIN = 6.0  # dB above the noise that an accepted way may lose to the best one
_CENTRE_MARGIN = 3.0  # dB that the centre channel may lose to the ordinary mix
_MISSED, _MISSED_AT_ONCE = 0.1, 0.6  # share of all speech, and seconds in one run, that a way may miss
_BLURRED = 0.3  # seconds: shorter misses are edges of regions, which differ a little from channel to channel
_FADE = 320  # samples of the change from one way to another: 20 ms

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def channels_of(layout: str, count: int) -> tuple[str, ...]:
    """The names of the channels of ffmpeg's `layout`, or numbers from 1 if it does not name `count` channels."""
    names = LAYOUTS.get(layout, ())
    return names if len(names) == count else tuple(str(number) for number in range(1, count + 1))


@dataclass(frozen=True, slots=True)
class _Way:
    """A way of mixing: its name, and the weight of each channel, of shape (channels,)."""

    name: str
    weights: Floats


@dataclass(frozen=True, slots=True)
class _Judged:
    """A way with the frames in which it has speech, and how far that stands above the quiet moments, in dB."""

    way: _Way
    speech: Mask
    above: float


class Mixer:
    """Mixes blocks of a film's channels, in order. `seconds` counts the time with speech by way of mixing."""

    def __init__(self, channels: Sequence[str]) -> None:
        self._channels = tuple(channels)
        self._last: _Way | None = None
        self._before: Floats | None = None
        self.seconds: dict[str, float] = {}

    def mix(self, block: Floats) -> Samples:
        """Mix a block of shape (samples, channels) into one channel, of shape (samples,)."""
        parts = [self._fade(part, way) for part, way in self._ways(block)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)

    def _fade(self, part: Floats, way: _Way) -> Samples:
        """Mix `part` by `way`, faded in from the way before it."""
        mixed: Samples = part @ way.weights
        if self._before is not None and not np.array_equal(self._before, way.weights):
            count = min(_FADE, len(part))
            ramp = np.linspace(0, 1, count, dtype=np.float32)
            mixed[:count] = ramp * mixed[:count] + (1 - ramp) * (part[:count] @ self._before)
        self._before = way.weights
        return mixed

    def _ways(self, block: Floats) -> Iterator[tuple[Floats, _Way]]:
        """Yield the parts of `block` with the way in which each is mixed."""
        sounding = self._sounding(block)
        if len(sounding) < 2 or _are_alike(block[:, sounding]):
            yield block, self._ordinary(sounding)
            return
        judged, spoken = self._judge(block, sounding)
        accepted = self._accepted(judged, spoken) if spoken.any() else None
        if not spoken.any():
            yield block, self._last or self._ordinary(sounding)
        elif accepted is None and len(block) >= 2 * _SHORTEST * SAMPLE_RATE:
            half = len(block) // 2
            yield from self._ways(block[:half])
            yield from self._ways(block[half:])
        else:
            self._last = accepted or max(judged, key=lambda each: int((each.speech & spoken).sum())).way
            self._count(self._last, float(spoken.sum()) * _FRAME / SAMPLE_RATE)
            yield block, self._last

    def _count(self, way: _Way, seconds: float) -> None:
        self.seconds[way.name] = self.seconds.get(way.name, 0.0) + seconds

    def _sounding(self, block: Floats) -> list[int]:
        """The channels with sound; that of deep effects only if it is the only one."""
        level = 10 * np.log10(np.square(block, dtype=np.float32).mean(axis=0) + 1e-12)
        heard = [number for number, name in enumerate(self._channels) if name != "LFE"] or [0]
        least = max(_SILENT, float(level[heard].max()) + _FAR_BELOW)
        return [number for number in heard if level[number] > least]

    def _ordinary(self, sounding: Sequence[int], signs: Mapping[int, float] | None = None) -> _Way:
        """The ordinary mix of the channels with sound, or of all if none has any."""
        weights = np.zeros(len(self._channels), dtype=np.float32)
        for number in sounding or range(len(self._channels)):
            weights[number] = _SHARES.get(self._channels[number], 0.5)
        if not weights.any():
            weights[:] = 1
        weights /= weights.sum()
        for number, sign in (signs or {}).items():
            weights[number] *= sign
        return _Way(INVERTED if signs and min(signs.values()) < 0 else MIX, weights)

    def _alone(self, number: int) -> _Way:
        weights = np.zeros(len(self._channels), dtype=np.float32)
        weights[number] = 1
        return _Way(self._channels[number], weights)

    def _judge(self, block: Floats, sounding: Sequence[int]) -> tuple[list[_Judged], Mask]:
        """Judge the ways for a block, the ordinary mix first, and find the frames with speech in any channel."""
        alone = {number: _speech(block[:, number]) for number in sounding}
        band = _voice_band(block)
        heard = {number: mask & _stands_out(band[:, number]) for number, mask in alone.items()}
        clear = {number: _above_noise(band[:, number], mask) for number, mask in heard.items() if mask.any()}
        least = min(_CLEAR, max(clear.values(), default=0.0))
        counted = [heard[number] for number, above in clear.items() if above >= least]
        spoken = np.logical_or.reduce(counted or list(heard.values()))
        if not counted:
            return [], spoken
        ways = [self._ordinary(sounding)]
        signs = _signs(band, max(clear, key=lambda number: (clear[number], -number)), sounding, spoken)
        if min(signs.values()) < 0:
            ways.append(self._ordinary(sounding, signs))
        ways = [way for way in ways if not _cancels(band, way.weights, spoken)]
        speech = [_speech(block @ way.weights) for way in ways] + list(alone.values())
        ways += [self._alone(number) for number in alone]
        above = [_above_noise(band @ way.weights, spoken) for way in ways]
        return [_Judged(*each) for each in zip(ways, speech, above, strict=True)], spoken

    def _accepted(self, judged: Sequence[_Judged], spoken: Mask) -> _Way | None:
        """The way for a block: centre, last way, ordinary mix, or the best one; None if none keeps all speech."""
        keeping = {each.way.name: each for each in judged if _keeps(each.speech, spoken)}
        if not keeping:
            return None
        best = max(keeping.values(), key=lambda each: each.above)
        ordinary, centre = keeping.get(MIX), keeping.get("FC")
        if centre and centre.above > (ordinary or best).above - _CENTRE_MARGIN:
            return centre.way
        for name in (self._last.name if self._last else MIX, MIX, INVERTED):
            if name in keeping and keeping[name].above > best.above - _MARGIN:
                return keeping[name].way
        return best.way


def _are_alike(block: Floats) -> bool:
    """Tell whether all channels hold the same sound, at any level."""
    first = block[:, 0]
    own = float(first @ first)
    others = (block[:, number] for number in range(1, block.shape[1]))
    return all(float(first @ other) > _ALIKE * np.sqrt(own * float(other @ other)) for other in others)


def _speech(samples: Samples) -> Mask:
    """Per frame, whether there is speech, of shape (frames,)."""
    mask = np.zeros(len(samples) // _FRAME, dtype=np.bool_)
    for region in speech_regions(np.ascontiguousarray(samples)):
        mask[int(region.start * SAMPLE_RATE / _FRAME) : int(region.end * SAMPLE_RATE / _FRAME)] = True
    return mask


def _voice_band(block: Floats) -> Floats:
    """The channels without what lies outside the band of voices, of the same shape."""
    spectrum = np.fft.rfft(block, axis=0)
    pitch = np.fft.rfftfreq(len(block), 1 / SAMPLE_RATE)
    spectrum[(pitch < _VOICES[0]) | (pitch > _VOICES[1])] = 0
    return np.fft.irfft(spectrum, len(block), axis=0).astype(np.float32)


def _signs(band: Floats, reference: int, sounding: Sequence[int], spoken: Mask) -> dict[int, float]:
    """The sign of each channel with which no two of them are opposite in phase where there is speech.

    They are compared with the channel `reference`; the first one keeps its phase, so that it is the same in each block.
    """
    heard = _heard(band, spoken)
    norms = np.sqrt(np.square(heard).sum(axis=0)) + 1e-9
    likeness = heard.T @ heard[:, reference] / (norms * norms[reference])
    signs = {number: -1.0 if likeness[number] < _OPPOSITE else 1.0 for number in sounding}
    return {number: sign * signs[sounding[0]] for number, sign in signs.items()}


def _cancels(band: Floats, weights: Floats, spoken: Mask) -> bool:
    """Tell whether the channels cancel each other out in a mix: it is quieter than one of unrelated channels."""
    heard = _heard(band, spoken)
    unrelated = float((np.square(heard).mean(axis=0) * np.square(weights)).sum())
    return float(np.square(heard @ weights).mean()) < _CANCELLED * unrelated


def _heard(band: Floats, spoken: Mask) -> Floats:
    """The samples of the frames with speech, of shape (samples, channels)."""
    return band[: len(spoken) * _FRAME][np.repeat(spoken, _FRAME)]


def _above_noise(samples: Samples, spoken: Mask) -> float:
    """The level of the frames with speech above the noise, in dB."""
    power = _powers(samples)
    return float(10 * np.log10(float(power[spoken].mean()))) - _noise(power)


def _stands_out(samples: Samples) -> Mask:
    """Per frame, whether it is clearly louder than the noise."""
    power = _powers(samples)
    found: Mask = 10 * np.log10(power) > _noise(power) + _LOUDER
    return found


def _powers(samples: Samples) -> Floats:
    """The power of each frame, of shape (frames,)."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    powers: Floats = np.square(frames).mean(axis=1) + np.float32(1e-12)
    return powers


def _noise(power: Floats) -> float:
    """The level of the quietest tenth of all frames, in dBFS."""
    return max(float(10 * np.log10(float(np.percentile(power, 10)))), _QUIETEST)


def _keeps(speech: Mask, spoken: Mask) -> bool:
    """Tell whether a way has speech in all frames `spoken`, but for the edges of regions."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], spoken & ~speech, [False])).astype(np.int8)))
    runs = (edges[1::2] - edges[::2]) * _FRAME / SAMPLE_RATE
    missed = runs[runs > _BLURRED]
    return not len(missed) or bool(
        missed.max() <= _MISSED_AT_ONCE and missed.sum() <= _MISSED * float(spoken.sum()) * _FRAME / SAMPLE_RATE
    )
