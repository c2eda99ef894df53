"""Removal of hallucinations: words that speech engines output for noise, music and silence. The same for every engine.

Whisper is known for three kinds, which are all checked against the audio: words without speech, one phrase over and
over, and phrases that end thousands of its training videos (Koenecke et al., "Careless Whisper", FAccT 2024; Barański
et al., "Investigation of Whisper ASR hallucinations induced by non-speech audio", ICASSP 2025). A phrase over clear
speech, at the pace of speech, is kept, whatever its words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from jobs.pipeline.protocols import Region, Word
from jobs.pipeline.speech.voice_activity import overlap

_SLACK = 0.3  # seconds by which the times of a word may be wrong
_PAUSE = 0.5  # seconds between words that separate two utterances
_LONGEST_PHRASE = 12  # words of a phrase that is checked for repetition
_LONG_PHRASE = 6  # words of a phrase of which already the first repetition is suspicious
_REPEATS_OF_LONG = 2
_REPEATS = 3  # repetitions in a row that are suspicious
_COVERED = 0.5  # share of a phrase's time that must be speech
_STUCK = 0.3  # confidence of the words of a loop that are kept
_CERTAIN = 0.6  # confidence from which a word is kept, although no speech was detected at its time
_CONFIDENT = 0.35  # mean confidence below which a suspicious phrase is removed
_SLOWEST, _FASTEST = 0.5, 7.0  # words per second; the fastest speakers reach about 6
_LOOP_IN_WORD = re.compile(r"(.{2,12}?)\1{5,}")  # a short part of a word over and over
_SENTENCE_END = (".", "!", "?", "。", "！", "？", "؟", "۔", "…")

_STOCK = (
    *(
        "thank you",
        "thanks for watching",
        "thanks for listening",
        "please subscribe",
        "subscribe",
        "like and subscribe",
    ),
    *("see you in the next", "see you next", "subtitles by", "subtitle by", "captions by", "captioning by"),
    *("transcription by", "transcribed by", "translation by", "translated by", "amara org", "www "),
    *("sous titres", "sous titrage", "merci d avoir regardé", "abonnez vous"),
    *("untertitel", "vielen dank fürs zuschauen", "vielen dank für", "danke fürs zuschauen"),
    *("subtítulos", "gracias por ver", "gracias por mirar", "suscríbete"),
    *("legendas", "legenda por", "obrigado por assistir", "obrigada por assistir", "inscreva se"),
    *("sottotitoli", "grazie per la visione", "grazie per aver guardato", "iscrivetevi"),
    *("ondertiteling", "ondertiteld door", "bedankt voor het kijken"),
    *("napisy stworzone", "napisy wykonane", "dziękuję za uwagę", "dzięki za oglądanie"),
    *("субтитры", "редактор субтитров", "продолжение следует", "спасибо за просмотр", "спасибо за внимание"),
    *("дякую за перегляд", "субтитри"),
    *("altyazı", "izlediğiniz için teşekkür", "abone ol"),
    *(
        "زیرنویس",
        "ترجمه و زیرنویس",
        "مترجم",
        "با تشکر از",
        "تشکر از تماشا",
        "ممنون از تماشا",
        "ممنون که",
        "سپاس از تماشا",
    ),
    *("از تماشای شما", "برای تماشای", "کانال را دنبال", "سابسکرایب", "لایک و سابسکرایب"),
    *("ترجمة", "اشتركوا في القناة", "شكرا على المشاهدة", "شكرا للمشاهدة", "شكرا لكم"),
    *("תודה על הצפייה", "תודה שצפיתם", "כתוביות"),
    *("देखने के लिए धन्यवाद", "सब्सक्राइब"),
    *("ご視聴ありがとうございました", "ご視聴 ありがとうございました", "字幕", "チャンネル登録"),
    *("谢谢观看", "感谢观看", "謝謝觀看", "请不吝点赞", "請不吝點贊", "中文字幕"),
    *("시청해주셔서 감사합니다", "시청해 주셔서 감사합니다", "구독과 좋아요"),
)
"""Beginnings of utterances that Whisper outputs for silence, in the form of `_plain`: credits, thanks and appeals."""


def judge(words: Sequence[Word], regions: Sequence[Region]) -> tuple[list[Word], list[Word]]:
    """Divide `words` into those that were spoken and those that were invented, given the `regions` with speech; both in
    seconds from the same start. A word is removed only if there is little speech under it and the engine was unsure.
    """
    words = [_unstuck(word) for word in words]
    kept: list[Word] = []
    for utterance in _utterances(_without_loops(words, regions)):
        if not _is_invented(utterance, regions):
            kept += [word for word in utterance if not _is_unfounded(word, regions)]
    remaining = {(word.start, word.end, word.text) for word in kept}
    return kept, [word for word in words if (word.start, word.end, word.text) not in remaining]


def _unstuck(word: Word) -> Word:
    """A word in which the engine got stuck, such as “4-4-4-4-4-4”, with one turn of its loop, as unsure."""
    text = _LOOP_IN_WORD.sub(r"\1", word.text)
    return word if text == word.text else _unsure(replace(word, text=text))


def _is_unfounded(word: Word, regions: Sequence[Region]) -> bool:
    """Whether nobody speaks at the time of a word of which the engine was unsure."""
    return word.confidence < _CERTAIN and overlap(word.start - _SLACK, word.end + _SLACK, regions) == 0


def _is_invented(utterance: Sequence[Word], regions: Sequence[Region]) -> bool:
    """Whether an utterance begins as inventions do, and neither the sound nor the engine's certainty supports it."""
    text = " ".join(filter(None, (_plain(word.text) for word in utterance)))
    if not text.startswith(_STOCK):
        return False
    is_unfounded = not _has_speech(utterance, regions) and _confidence(utterance) < _CERTAIN
    return is_unfounded or not _has_pace(utterance)


def _without_loops(words: Sequence[Word], regions: Sequence[Region]) -> list[Word]:
    """Remove phrases repeated in a row that the audio does not support.

    Of a loop over speech the first repetition is kept, as unsure: the engine recognised it and then got stuck. What the
    audio supports is kept whole; its repetitions are unsure.
    """
    kept: list[Word] = []
    plain = [_plain(word.text) for word in words]
    at = 0
    while at < len(words):
        length, repeats = _loop_at(plain, at)
        loop = words[at : at + length * repeats]
        if repeats < _suspicious(plain[at : at + length]):
            loop = loop[:1]
            kept += loop
        elif _has_speech(loop, regions) and _confidence(loop) >= _CONFIDENT and _has_pace(loop):
            kept += [*loop[:length], *map(_unsure, loop[length:])]
        elif _has_speech(loop, regions):
            kept += map(_unsure, loop[:length])
        at += len(loop)
    return kept


def _unsure(word: Word) -> Word:
    return replace(word, confidence=min(word.confidence, _STUCK), doubted=True)


def _suspicious(phrase: Sequence[str]) -> int:
    """The repetitions in a row from which a phrase may be a loop. The parts of a word with half-spaces are words."""
    return _REPEATS if sum(len(word.split()) for word in phrase) < _LONG_PHRASE else _REPEATS_OF_LONG


def _loop_at(plain: Sequence[str], at: int) -> tuple[int, int]:
    """The repeated phrase at `at` that covers most words: its length in words, and its repetitions in a row."""
    longest = min(_LONGEST_PHRASE, (len(plain) - at) // _REPEATS_OF_LONG)
    loops = [(length, _repeats_at(plain, at, length)) for length in range(1, longest + 1)]
    found = (loop for loop in loops if loop[1] >= _suspicious(plain[at : at + loop[0]]))
    return max(found, key=lambda loop: loop[0] * loop[1], default=(1, 1))


def _repeats_at(plain: Sequence[str], at: int, length: int) -> int:
    repeats = 1
    while plain[at : at + length] == plain[at + repeats * length : at + (repeats + 1) * length]:
        repeats += 1
    return repeats


def _has_speech(phrase: Sequence[Word], regions: Sequence[Region]) -> bool:
    """Whether speech was detected under half of a phrase."""
    start, end = phrase[0].start, phrase[-1].end
    return overlap(start, end, regions) >= _COVERED * max(end - start, 0.01)


def _confidence(phrase: Sequence[Word]) -> float:
    return sum(word.confidence for word in phrase) / len(phrase)


def _has_pace(phrase: Sequence[Word]) -> bool:
    """Whether a person can speak a phrase in its time."""
    return _SLOWEST <= len(phrase) / max(phrase[-1].end - phrase[0].start, 0.01) <= _FASTEST


def _utterances(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Split the words at pauses and ends of sentences."""
    if not words:
        return
    utterance = [words[0]]
    for before, word in pairwise(words):
        if word.start - before.end >= _PAUSE or before.text.endswith(_SENTENCE_END):
            yield utterance
            utterance = []
        utterance.append(word)
    yield utterance


def _plain(text: str) -> str:
    """`text` in lower case, with letters, marks and digits only; each run of other characters becomes a space."""
    folded = text.casefold().replace("\u0307", "")  # casefold() adds it to the Turkish İ
    kept = (character if unicodedata.category(character)[0] in "LMN" else " " for character in folded)
    return " ".join("".join(kept).split())
