"""Decoding of pieces of sound with Whisper: languages, text, word times by cross-attention, and a second try.

WhisperX's own batched path has no word times without an alignment model, no language per piece and no check of the
result, so this uses the model of faster-whisper, as WhisperX does, with the functions around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.pipeline.protocols import Samples

FRAMES = 50
"""Frames of the encoder's output per second of sound."""

LONGEST = 30.0
"""Seconds of sound that Whisper takes at once."""

MAX_COMPRESSION = 2.4
"""Compression ratio of a text above which it counts as looping (Whisper's compression_ratio_threshold)."""

MIN_LOGPROB = -1.0
"""Mean log-probability below which a text counts as badly decoded (Whisper's logprob_threshold)."""

NO_SPEECH = 0.6
"""Probability of no speech above which a badly decoded text counts as invented (Whisper's no_speech_threshold)."""

_TEMPERATURES, _SAMPLES = (0.2, 0.8), 3  # of further attempts: fewer than Whisper's, as each costs more than the first
_PREPENDED, _APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、؟،؛"

Encoded = NDArray[np.float32]
"""The encoder's output for one piece, of shape (1500, width)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hint:
    """Context for the decoder: words to expect, and a text as it might have been said before."""

    hotwords: str = ""
    prompt: str = ""


@dataclass(kw_only=True, slots=True)
class Decoded:
    """The text of a piece. `words` have text, start, end (seconds of the piece) and probability."""

    tokens: list[int]
    text: str
    logprob: float
    no_speech: float
    compression: float
    words: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_weak(self) -> bool:
        """Whether the piece should be decoded again: the text loops, or the model was unsure of it."""
        return self.compression > MAX_COMPRESSION or self.logprob < MIN_LOGPROB


class Decoder:
    """A loaded faster_whisper.WhisperModel. Counts the `pieces` that it decoded, for measurements."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.pieces = 0

    @property
    def multilingual(self) -> bool:
        """Whether the model knows other languages than English."""
        return bool(self._model.model.is_multilingual)

    def encode(self, sounds: Sequence[Samples]) -> list[Encoded]:
        """Encode pieces of at most LONGEST seconds."""
        from faster_whisper.audio import pad_or_trim
        from faster_whisper.transcribe import get_ctranslate2_storage

        features = np.stack([pad_or_trim(self._model.feature_extractor(sound)[..., :-1]) for sound in sounds])
        output = self._model.model.encode(get_ctranslate2_storage(features), to_cpu=True)
        return list(np.asarray(output))

    def languages(self, encoded: Encoded, spans: Iterable[tuple[float, float]]) -> list[dict[str, float]]:
        """The probability of each of Whisper's languages in each span of a piece, in seconds from its start.

        Only the encoder's output of the span is shown to the decoder: a step of it, so that this costs next to nothing.
        """
        if not self.multilingual:
            return [{"en": 1.0} for _ in spans]
        return [self._languages(encoded[_frame(start) : max(_frame(end), _frame(start) + 1)]) for start, end in spans]

    def _languages(self, part: Encoded) -> dict[str, float]:
        (found,) = self._model.model.detect_language(_storage(part[None]))
        return {token[2:-2]: float(probability) for token, probability in found}

    def decode(
        self, encoded: Sequence[Encoded], language: str, seconds: Sequence[float], hint: Hint, *, again: bool = True
    ) -> list[Decoded]:
        """The texts of pieces in one language, with the words' times. `seconds` are the lengths of the pieces. `again`:
        with further attempts for weak texts.
        """
        self.pieces += len(encoded)
        tokenizer, options = self._tokenizer(language), self._options(hint)
        prompt = self._prompt(tokenizer, options)
        results = self._model.model.generate(
            _storage(np.stack(encoded)),
            [prompt] * len(encoded),
            beam_size=options.beam_size,
            patience=options.patience,
            length_penalty=options.length_penalty,
            max_length=self._model.max_length,
            suppress_blank=options.suppress_blank,
            suppress_tokens=options.suppress_tokens,
            return_scores=True,
            return_no_speech_prob=True,
        )
        found = [_decoded(tokenizer, result, _mean_logprob(result, options.length_penalty)) for result in results]
        found = [
            self._better(first, piece, tokenizer, options) if again and first.is_weak and first.tokens else first
            for piece, first in zip(encoded, found, strict=True)
        ]
        self._add_words(found, tokenizer, encoded, seconds)
        return found

    def _better(self, first: Decoded, encoded: Encoded, tokenizer: Any, options: Any) -> Decoded:
        """Decode a piece again, with a higher temperature once more if its text loops then. The most probable attempt
        is returned, if possible one that does not loop.
        """
        self.pieces += 1
        result, logprob, _, _ = self._model.generate_with_fallback(
            _storage(encoded[None]), self._prompt(tokenizer, options), tokenizer, options
        )
        again = _decoded(tokenizer, result, logprob)
        return max(first, again, key=lambda one: (one.compression <= MAX_COMPRESSION, one.logprob))

    def _add_words(
        self, found: Sequence[Decoded], tokenizer: Any, encoded: Sequence[Encoded], seconds: Sequence[float]
    ) -> None:
        """Give each text its words, with times from the decoder's attention to the sound."""
        spoken = [at for at, decoded in enumerate(found) if any(token < tokenizer.eot for token in decoded.tokens)]
        if not spoken:
            return
        segments = [
            [{"tokens": found[at].tokens, "seek": 0, "start": 0.0, "end": seconds[at], "words": []}] for at in spoken
        ]
        self._model.add_word_timestamps(
            segments,
            tokenizer,
            _storage(np.stack([encoded[at] for at in spoken])),
            [math.ceil(seconds[at]) * self._model.frames_per_second for at in spoken],
            _PREPENDED,
            _APPENDED,
            0.0,
        )
        for at, (segment,) in zip(spoken, segments, strict=True):
            found[at].words = segment["words"]  # type: ignore[assignment]

    def _prompt(self, tokenizer: Any, options: Any) -> list[int]:
        previous = tokenizer.encode(f" {options.initial_prompt}") if options.initial_prompt else []
        prompt: list[int] = self._model.get_prompt(
            tokenizer, previous_tokens=previous, without_timestamps=True, hotwords=options.hotwords
        )
        return prompt

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(self._model.hf_tokenizer, self.multilingual, task="transcribe", language=language)

    def _options(self, hint: Hint) -> Any:
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import TranscriptionOptions, get_suppressed_tokens

        tokenizer = Tokenizer(self._model.hf_tokenizer, self.multilingual, task="transcribe", language="en")
        return TranscriptionOptions(
            beam_size=5,
            best_of=_SAMPLES,
            patience=1,
            length_penalty=1,
            repetition_penalty=1,
            no_repeat_ngram_size=0,
            log_prob_threshold=None,  # what stays improbable is not decoded a third time: it seldom helps
            no_speech_threshold=NO_SPEECH,
            compression_ratio_threshold=MAX_COMPRESSION,
            condition_on_previous_text=False,
            prompt_reset_on_temperature=0.5,
            temperatures=list(_TEMPERATURES),
            initial_prompt=hint.prompt or None,
            prefix=None,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            without_timestamps=True,
            max_initial_timestamp=0.0,
            word_timestamps=True,
            prepend_punctuations=_PREPENDED,
            append_punctuations=_APPENDED,
            multilingual=False,
            max_new_tokens=None,
            clip_timestamps="0",
            hallucination_silence_threshold=None,
            hotwords=hint.hotwords or None,
        )


def _decoded(tokenizer: Any, result: Any, logprob: float) -> Decoded:
    from faster_whisper.transcribe import get_compression_ratio

    tokens = list(result.sequences_ids[0])
    text = tokenizer.decode(tokens).strip()
    return Decoded(
        tokens=tokens,
        text=text,
        logprob=float(logprob),
        no_speech=float(result.no_speech_prob),
        compression=get_compression_ratio(text) if text else 0.0,
    )


def _mean_logprob(result: Any, length_penalty: float) -> float:
    """The mean log-probability of the tokens, as Whisper computes it."""
    length = len(result.sequences_ids[0])
    return float(result.scores[0] * (length**length_penalty) / (length + 1))


def _frame(seconds: float) -> int:
    return min(int(seconds * FRAMES), int(LONGEST * FRAMES) - 1)


def _storage(array: NDArray[Any]) -> Any:
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(array, dtype=np.float32))
