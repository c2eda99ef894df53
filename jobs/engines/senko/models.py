"""The two models of the wheel: who speaks in ten seconds, and the voice of a stretch of speech as a vector."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.engines.senko.options import EMBEDDING, NETWORK, SEGMENTATION
from jobs.pipeline.protocols import SAMPLE_RATE, Samples

WINDOW = 10.0
"""Seconds that the segmentation model reads at once."""

STEP, WIDTH = 0.016875, 0.0619375
"""Seconds from one of its frames to the next, and seconds of sound in each."""

LOCAL_SPEAKERS = 3
"""Speakers that it tells apart in a window, at most two at a time."""

FRAMES_A_SECOND = 100
"""Frames of the voice features in a second."""

_MELS, _DIMENSIONS = 80, 192
_LENGTH = 300  # frames of a stretch whose vector is computed; shorter ones are repeated


class Models:
    """Both models, on the CPU and in one thread: several threads wait for each other longer than one works."""

    def __init__(self, package: Path) -> None:
        self._segmentation, self._powerset = _segmentation(package / SEGMENTATION)
        self._network = _network(package)

    def activity(self, windows: NDArray[np.float32]) -> NDArray[np.bool_]:
        """The activity of local speakers, shape (n, frames, LOCAL_SPEAKERS), in `windows` of shape (n, samples)."""
        import torch

        with torch.inference_mode(), _one_thread():
            scores = self._segmentation(torch.from_numpy(windows)[:, None])
            active: NDArray[np.bool_] = self._powerset.to_multilabel(scores).numpy() > 0.5
        return active

    def features(self, samples: Samples) -> NDArray[np.float32]:
        """Logarithmic mel spectra, 100 a second, of shape (frames, 80)."""
        import torch
        from torchaudio.compliance.kaldi import fbank

        with torch.inference_mode(), _one_thread():
            found: NDArray[np.float32] = fbank(
                torch.from_numpy(samples)[None], num_mel_bins=_MELS, sample_frequency=SAMPLE_RATE, dither=0.0
            ).numpy()
        return found

    def voices(self, stretches: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Vectors of length 1, shape (n, 192), for the features of `stretches`, each of shape (frames, 80)."""
        import torch

        if not stretches:
            return np.zeros((0, _DIMENSIONS), dtype=np.float32)
        batch = np.stack([_of_one_length(stretch - stretch.mean(axis=0)) for stretch in stretches])
        with torch.inference_mode(), _one_thread():
            vectors: NDArray[np.float32] = torch.nn.functional.normalize(self._network(torch.from_numpy(batch))).numpy()
        return vectors


def _of_one_length(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The middle of the features if they are too long, the features repeated if they are too short."""
    if len(features) >= _LENGTH:
        first = (len(features) - _LENGTH) // 2
        return features[first : first + _LENGTH]
    return np.tile(features, (-(-_LENGTH // len(features)), 1))[:_LENGTH]


class _one_thread:  # noqa: N801 - used like a function
    """Context in which PyTorch computes in one thread."""

    def __enter__(self) -> None:
        import torch

        self._before = torch.get_num_threads()
        torch.set_num_threads(1)

    def __exit__(self, *_error: object) -> None:
        import torch

        torch.set_num_threads(self._before)


def _segmentation(path: Path) -> tuple[Any, Any]:
    """The segmentation model, and the decoder of its classes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchcodec reads files, which is not needed; versions of Lightning
        from pyannote.audio import Model
        from pyannote.audio.telemetry import set_telemetry_metrics
        from pyannote.audio.utils.powerset import Powerset

        set_telemetry_metrics(False)
        model = Model.from_pretrained(path)
    model.eval()
    found = model.specifications
    return model, Powerset(len(found.classes), found.powerset_max_classes)


def _network(package: Path) -> Any:
    """CAM++ with its weights. The module of its class is loaded by its path: the whole package needs others."""
    import torch

    spec = importlib.util.spec_from_file_location("senko_camplusplus", package / NETWORK)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.CAMPPlus(feat_dim=_MELS, embedding_size=_DIMENSIONS)
    network.load_state_dict(torch.load(package / EMBEDDING, map_location="cpu", weights_only=True))
    return network.eval()
