"""Names in made speech, with and without the words that the glossary tells the recogniser."""

from __future__ import annotations

from tests.quality.engines import Session
from tests.quality.material import SPEECH, made_of
from tests.quality.rows import Row, at_least, info
from tests.quality.scoring import normalise

SECTION = "names"


def measure(session: Session) -> list[Row]:
    """Count the names that were written right, once as they come and once with the names as hotwords."""
    rows = list[Row]()
    for language in ("en", "de"):
        lines = (SPEECH / "made" / f"names.{language}.txt").read_text(encoding="utf-8").splitlines()
        names, texts = zip(*(line.split("\t") for line in lines), strict=True)
        clip = made_of(f"names-{language}", language, texts)
        without = _share(names, session.ours(clip, language).text)
        told = _share(names, session.ours(clip, language, hotwords=" ".join(names)).text)
        rows.append(info(SECTION, f"{language}: names right without hotwords (%)", without))
        rows.append(at_least(SECTION, f"{language}: names right with hotwords (%)", told, max(without, 50.0)))
    return rows


def _share(names: tuple[str, ...], text: str) -> float:
    heard = normalise(text)
    return 100.0 * sum(normalise(name)[0] in heard for name in names) / len(names)
