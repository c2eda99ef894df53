"""Failures of libraries that run models, such as PyTorch and CTranslate2, as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jobs.pipeline.errors import EngineError, OutOfMemory

_MEMORY_SIGNS = ("out of memory", "bad_alloc", "failed to allocate", "not enough memory", "cudnn_status_alloc_failed")


@contextmanager
def model_failures(engine: str, kinds: tuple[type[Exception], ...] = (Exception,)) -> Iterator[None]:
    """Turn a MemoryError, and exceptions of `kinds`, into OutOfMemory or EngineError of the engine with this label.

    By default all exceptions are turned: a broken model file, or the client of a model hub, may raise any.
    """
    try:
        yield
    except MemoryError as failure:
        raise OutOfMemory(engine=engine, detail=str(failure)) from failure
    except kinds as failure:
        text = str(failure)
        error = OutOfMemory if any(sign in text.lower() for sign in _MEMORY_SIGNS) else EngineError
        raise error(engine=engine, detail=text) from failure
