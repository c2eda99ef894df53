"""Loading of Whisper and of alignment models as WhisperX does."""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobs.engines.whisperx import models
from jobs.engines.whisperx.options import Options


def load_whisper(options: Options) -> Any:
    """The Whisper model, of the library that WhisperX uses. WhisperX's own class adds nothing that is needed here, and
    its import takes many seconds and much memory, because it brings PyTorch, transformers and pyannote.
    """
    from faster_whisper import WhisperModel

    device = device_of(options)
    if device != "cpu":
        importlib.import_module("torch")  # brings the libraries of CUDA
    return WhisperModel(
        str(models.whisper_directory(options.model, options.models)),
        device=device,
        compute_type=compute_type_of(options, device),
        local_files_only=True,
        cpu_threads=options.threads or os.cpu_count() or 1,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the packages' messages on loading: torchcodec reads files, which is not needed for arrays."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*torchcodec is not installed", UserWarning)
        yield
    for verbose in ("whisperx", "lightning.pytorch"):  # one of them logs to standard output, which is not its own
        logging.getLogger(verbose).setLevel(logging.ERROR)


def load_aligner(directory: Path, language: str, device: str) -> tuple[Any, dict[str, Any]]:
    """The alignment model in a directory with its metadata, as WhisperX loads them."""
    from nltk.tokenize.punkt import PunktSentenceTokenizer
    from whisperx import alignment

    # align() splits segments into sentences, which are not used here, with a model that NLTK would download in the
    # middle of the job. An untrained splitter serves as well.
    alignment.nltk_load = lambda _resource: PunktSentenceTokenizer()
    model, metadata = alignment.load_align_model(
        language, device, model_name=str(directory.resolve()), model_cache_only=True
    )
    return model, metadata


def device_of(options: Options) -> str:
    """The configured device; `auto` is a GPU where there is one."""
    if options.device != "auto":
        return options.device
    if not importlib.import_module("ctranslate2").get_cuda_device_count():
        return "cpu"  # without the import of PyTorch, which takes seconds
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def compute_type_of(options: Options, device: str) -> str:
    """The configured number format, else float16 on GPUs that support it and int8 on a CPU."""
    if options.compute_type != "auto":
        return options.compute_type
    wanted = "float16" if device == "cuda" else "int8"
    supported = importlib.import_module("ctranslate2").get_supported_compute_types(device)
    return wanted if wanted in supported else "default"
