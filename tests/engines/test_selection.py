"""The engines of a job: by name, by `auto`, and the refusals that come before any work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jobs.engines import selection
from jobs.engines.selection import Engines
from jobs.engines.spec import TranscriberSpec, TranslatorSpec
from jobs.pipeline import errors
from jobs.pipeline.protocols import Readiness

READY = Readiness(ready=True)
NOT_READY = Readiness(ready=False, reason="It sleeps.", remedy="wake it")


def never(_: Any) -> Any:
    raise AssertionError("choosing makes no engine")


def ears(name: str, *languages: str, ready: bool = True, demo: bool = False) -> TranscriberSpec:
    state = READY if ready else NOT_READY
    return TranscriberSpec(
        name=name,
        label=name.upper(),
        options=object,
        readiness=lambda _: state,
        languages=lambda _: frozenset(languages),
        create=never,
        demo=demo,
    )


def tongue(
    name: str, can: Callable[[str, str], bool] = lambda *_: True, *, ready: bool = True, paid: bool = False
) -> TranslatorSpec:
    state = READY if ready else NOT_READY
    return TranslatorSpec(
        name=name,
        label=name.upper(),
        options=object,
        readiness=lambda _: state,
        can=lambda _, source, target: can(source, target),
        create=never,
        paid=paid,
    )


def to_spanish(source: str, target: str) -> bool:
    return (source, target) == ("en", "es")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Engines]:
    def installed(
        *specs: TranscriberSpec | TranslatorSpec, transcriber: str = "auto", translator: str = "auto"
    ) -> Engines:
        heard = tuple(spec for spec in specs if isinstance(spec, TranscriberSpec))
        said = tuple(spec for spec in specs if isinstance(spec, TranslatorSpec))
        monkeypatch.setattr(selection, "TRANSCRIBERS", heard)
        monkeypatch.setattr(selection, "TRANSLATORS", said)
        return Engines(transcriber=transcriber, translator=translator, options={spec.name: None for spec in specs})

    return installed


# Speech


def test_auto_takes_the_first_that_is_ready(engines: Callable[..., Engines]) -> None:
    some = engines(ears("best", "en", "fa", ready=False), ears("good", "en"), ears("last", "en"))
    assert some.choose_transcriber("en").name == "good"
    assert some.choose_transcriber(None).name == "good"


def test_auto_takes_the_first_that_knows_the_language(engines: Callable[..., Engines]) -> None:
    assert engines(ears("english", "en"), ears("all", "en", "fa")).choose_transcriber("fa").name == "all"


def test_a_name_is_obeyed(engines: Callable[..., Engines]) -> None:
    assert engines(ears("best", "en"), ears("mine", "en"), transcriber="mine").choose_transcriber("en").name == "mine"


def test_a_named_engine_that_is_not_ready_is_not_replaced(engines: Callable[..., Engines]) -> None:
    with pytest.raises(errors.NotReady) as caught:
        engines(ears("best", "en"), ears("mine", "en", ready=False), transcriber="mine").choose_transcriber("en")
    assert "MINE is not ready: It sleeps. To fix this: wake it" in str(caught.value)


def test_a_language_that_a_missing_engine_could_hear(engines: Callable[..., Engines]) -> None:
    """The remedy for the better engine is told, rather than that the demo engine cannot do it."""
    with pytest.raises(errors.NotReady) as caught:
        engines(ears("best", "en", "fa", ready=False), ears("demo", "en")).choose_transcriber("fa")
    assert "BEST" in str(caught.value)


def test_a_language_that_nobody_hears(engines: Callable[..., Engines]) -> None:
    with pytest.raises(errors.CannotTranscribe) as caught:
        engines(ears("one", "en", "es")).choose_transcriber("fa")
    assert (
        "ONE cannot transcribe Persian. Choose another speech engine, or one of these languages: English, Spanish."
        in str(caught.value)
    )


def test_no_engine_is_ready(engines: Callable[..., Engines]) -> None:
    with pytest.raises(errors.NotReady) as caught:
        engines(ears("one", "en", ready=False), ears("two", "en", ready=False)).choose_transcriber(None)
    assert "ONE" in str(caught.value)


def test_an_unknown_name(engines: Callable[..., Engines]) -> None:
    some = engines(ears("one", "en"), tongue("two"), transcriber="x", translator="y")
    with pytest.raises(errors.UnknownEngine, match=r"“x”.*auto, one"):
        some.choose_transcriber("en")
    with pytest.raises(errors.UnknownEngine, match=r"“y”.*auto, two"):
        some.choose_translator("en", "es", None)


# Translation


def test_auto_takes_the_first_that_can(engines: Callable[..., Engines]) -> None:
    some = engines(tongue("best", ready=False), tongue("spanish", to_spanish), tongue("all"))
    assert some.choose_translator("en", "es", None).name == "spanish"
    assert some.choose_translator("en", "fa", None).name == "all"


def test_a_pair_that_nobody_does(engines: Callable[..., Engines]) -> None:
    with pytest.raises(errors.CannotTranslate, match="SPANISH cannot translate from English to Persian"):
        engines(tongue("spanish", to_spanish)).choose_translator("en", "fa", None)


def test_a_pair_that_only_a_missing_engine_does(engines: Callable[..., Engines]) -> None:
    with pytest.raises(errors.NotReady, match="BEST is not ready"):
        engines(tongue("best", ready=False), tongue("spanish", to_spanish)).choose_translator("en", "fa", None)


def test_a_language_that_is_not_told_yet(engines: Callable[..., Engines]) -> None:
    """One pair that works is enough to begin with; the target itself is no source."""
    heard = ears("one", "en", "es")
    some = engines(heard, tongue("spanish", to_spanish))
    assert some.choose_translator(None, "es", heard).name == "spanish"
    with pytest.raises(errors.CannotTranslate):
        some.choose_translator(None, "en", heard)


# Demo speech is not worth paying for


def test_auto_never_pays_for_the_words_of_the_demo_engine(engines: Callable[..., Engines]) -> None:
    demo = ears("demo", "en", demo=True)
    with pytest.raises(errors.DemoSpeechOnly) as caught:
        engines(demo, tongue("costly", paid=True)).choose_translator("en", "fa", demo)
    assert "COSTLY" in str(caught.value)
    assert "fetch_models" in str(caught.value)


def test_a_person_may_pay_for_them(engines: Callable[..., Engines]) -> None:
    demo = ears("demo", "en", demo=True)
    some = engines(demo, tongue("costly", paid=True), transcriber="demo")
    assert some.choose_translator("en", "fa", demo).name == "costly"


def test_what_is_free_or_well_heard_is_no_matter(engines: Callable[..., Engines]) -> None:
    demo, good = ears("demo", "en", demo=True), ears("good", "en")
    assert engines(demo, tongue("free")).choose_translator("en", "fa", demo).name == "free"
    assert engines(good, tongue("costly", paid=True)).choose_translator("en", "fa", good).name == "costly"
    assert engines(demo, tongue("costly", paid=True)).choose_translator("en", "fa", None).name == "costly"
