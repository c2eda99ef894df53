"""Failures of libraries that run models, as errors of ours."""

from __future__ import annotations

import pytest

from jobs.engines.model_failures import model_failures
from jobs.pipeline.errors import EngineError, OutOfMemory


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (MemoryError(), OutOfMemory),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), OutOfMemory),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory"), OutOfMemory),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), EngineError),
        (KeyError("state_dict"), EngineError),
    ],
)
def test_failures_are_errors_of_the_engine(failure: Exception, kind: type[EngineError]) -> None:
    with pytest.raises(EngineError) as caught, model_failures("An engine"):
        raise failure
    assert type(caught.value) is kind
    assert caught.value.record()["params"] == {"engine": "An engine"}
    assert caught.value.detail == str(failure)
    assert caught.value.__cause__ is failure


def test_other_kinds_of_exceptions_are_left_as_they_are() -> None:
    with pytest.raises(KeyError), model_failures("An engine", (RuntimeError, ValueError)):
        raise KeyError("model")


@pytest.mark.parametrize(("failure", "kind"), [(ValueError("unsupported"), EngineError), (MemoryError(), OutOfMemory)])
def test_failures_of_the_named_kinds_are_errors(failure: Exception, kind: type[EngineError]) -> None:
    with pytest.raises(kind), model_failures("An engine", (RuntimeError, ValueError)):
        raise failure
