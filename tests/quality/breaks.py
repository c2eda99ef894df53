"""The judge of line breaks: at which borders between words no line and no cue should end.

It knows nothing of our rules. Parts of speech are those of statistical models (`taggers`); words that a model may take
for something else, such as a preposition for an adverb, are in lists of closed classes, as grammars have them (English:
Quirk et al., A Comprehensive Grammar, chapters 2, 5 and 9; Persian: Lazard, A Grammar of Contemporary Persian).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from tests.quality import taggers
from tests.quality.layouts import SENTENCE_ENDS, Shown

EZAFE_UNWRITTEN = "ezafe that is not written"
"""The only kind that nothing in the text shows; a model guesses it. Counted by itself."""

_QUOTES = "\"'“”‘’«»()[]"

_ENGLISH = {
    "article": "a an the",
    "preposition": "about above across after against along among around as at before behind below beneath beside "
    "between beyond by despite down during except for from in inside into like near of off on onto out outside over "
    "past per since through throughout till to toward towards under underneath until up upon via with within without",
    "conjunction": "and but or nor although because if lest than that though unless when whenever where whereas "
    "wherever whether while which who whom whose",
    "pronoun": "i you he she it we they me him us them my your his its our their this these those such both each every",
    "auxiliary": "am is are was were be been being can could may might must shall should will would ought cannot don't "
    "doesn't didn't isn't aren't wasn't weren't haven't hasn't hadn't won't wouldn't can't couldn't shouldn't i'm i've "
    "i'll i'd you're you've you'll he's he'll he'd she's she'll she'd it's it'll we're we've we'll we'd they're "
    "they've they'll they'd",
    "title": "mr. mrs. ms. dr. st. prof. capt.",
}
_ENGLISH_TAGS = {
    "DET": "article",
    "ADP": "preposition",
    "CCONJ": "conjunction",
    "SCONJ": "conjunction",
    "PRON": "pronoun",
    "AUX": "auxiliary",
    "PART": "particle",
}

_PERSIAN = {
    "preposition": "از به با در بر تا برای بی بدون جز مگر چون مانند مثل درباره دربارهٔ سوی",
    "conjunction": "و یا که اما ولی لیکن اگر چون زیرا تا بلکه هرچند گرچه چنانچه وقتی خواه نه",
    "pronoun": "من تو او وی ما شما آنها ایشان آنان این آن همین همان هر هیچ چند یک کدام چه",
    "auxiliary": "باید نباید بایستی می‌توان نمی‌توان خواهم خواهی خواهد خواهیم خواهید خواهند نخواهم نخواهی نخواهد نخواهیم "
    "نخواهید نخواهند می‌توانم می‌تواند می‌توانیم می‌توانند",
}
_PERSIAN_TAGS = {
    "P": "preposition",
    "Pe": "preposition",
    "CONJ": "conjunction",
    "DET": "determiner",
    "DETe": "determiner",
    "PRO": "pronoun",
    "PROe": "pronoun",
}
_BE = (
    "است نیست بود نبود بودم بودند بودیم باشد نباشد باشند شد شدند شود شوند شده می‌شود می‌شوند نمی‌شود نشد نشده خواهد خواهند"
)
"""Forms that are parts of a verb with the participle before them."""

_ALSO = "هم نیز همچنین"
"""Adverbs that follow what they belong to; the model takes them for conjunctions."""


def reasons(text: str, code: str) -> list[str]:
    """For each border between two words of `text`, the kind of bad break that it would be; empty for a good one."""
    words = text.split()
    kinds: list[str] = []
    run: list[str] = []
    for at, word in enumerate(words):
        run.append(word)
        if (word.endswith(SENTENCE_ENDS) and word.casefold() not in _words(_ENGLISH)["title"]) or at == len(words) - 1:
            kinds += [*_JUDGES[code](run), ""]
            run = []
    return kinds[:-1]


def broken(cues: Sequence[Shown]) -> list[int]:
    """The borders at which lines end, counted in words from the beginning of the text; all but the last."""
    lines = [line for cue in cues for line in cue.lines]
    ends, count = [], 0
    for line in lines:
        count += len(line.split())
        ends.append(count - 1)
    return ends[:-1]


def _words(lists: Mapping[str, str]) -> dict[str, frozenset[str]]:
    return {kind: frozenset(words.split()) for kind, words in lists.items()}


def _ends_with_mark(word: str) -> bool:
    """Tell whether punctuation other than a quotation mark ends the word."""
    bare = word.rstrip(_QUOTES)
    return not bare or not (bare[-1].isalnum() or bare[-1] in "\u0654\u0650\u0651\u064b\u064e\u064f\u0652'’%")


def _english(words: Sequence[str]) -> list[str]:
    bare = [word.strip(_QUOTES + ".,;:!?—-") or word for word in words]
    tags = taggers.english([word.replace("’", "'") for word in bare])
    lists = _words(_ENGLISH)
    found = []
    for at, ((before, _), (tag, next_tag)) in enumerate(zip(pairwise(words), pairwise(tags), strict=True)):
        low = bare[at].casefold().replace("’", "'")
        if before.strip(_QUOTES).casefold() in lists["title"]:
            found.append("name")
        elif _ends_with_mark(before):
            found.append("")
        elif _is_name(bare[at], bare[at + 1], at) and tag == next_tag == "PROPN":
            found.append("name")
        else:
            listed = next((kind for kind, known in lists.items() if low in known), "")
            found.append(listed or _ENGLISH_TAGS.get(tag, ""))
    return found


def _is_name(before: str, after: str, at: int) -> bool:
    """Tell whether both words have a capital letter of their own: not a beginning of a sentence, not all capitals."""
    return all(word[:1].isupper() and not (len(word) > 1 and word.isupper()) for word in (before, after)) and at > 0


def _persian(words: Sequence[str]) -> list[str]:
    tokens: list[str] = []
    places: list[int] = []
    for word in words:
        parts = re.findall(r"[\w\u200c\u0654\u0650\u064b-\u0652./:@-]*\w[\u0654\u0650\u064b-\u0652]*|[^\w\s]", word)
        places.append(len(tokens) + max((at for at, part in enumerate(parts) if re.search(r"\w", part)), default=0))
        tokens += parts or [word]
    tags = taggers.persian(tokens)
    return [
        _persian_kind(before, after, tags[place], tags[next_place])
        for (before, after), (place, next_place) in zip(pairwise(words), pairwise(places), strict=True)
    ]


def _persian_kind(before: str, after: str, tag: str, next_tag: str) -> str:
    if _ends_with_mark(before):
        return ""
    left, right = before.strip(_QUOTES), after.strip(_QUOTES + "،؛:.؟!")
    if left.endswith(("\u0654", "\u0650", "\u06c0")):
        return "ezafe"
    if right == "را" or next_tag == "POSTP" or right == "هم":
        return "word that follows its own"
    if left.endswith("ه") and right in _BE.split():
        return "auxiliary"
    if left in _ALSO.split():
        return ""
    listed = next((kind for kind, known in _words(_PERSIAN).items() if left in known), "")
    return listed or _PERSIAN_TAGS.get(tag, "") or (EZAFE_UNWRITTEN if tag.endswith("e") else "")


_JUDGES: Mapping[str, Callable[[Sequence[str]], list[str]]] = {"en": _english, "fa": _persian}
