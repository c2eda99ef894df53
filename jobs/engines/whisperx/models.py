"""List of WhisperX's models, their directories on disk, and their installation.

Layout of a models directory: `whisper/<name>/` holds a Whisper model in CTranslate2's format, `align/<language>/` a
wav2vec2 model for forced alignment. These directories are always complete: they are renamed into place at the end.

Names of Whisper models are from faster_whisper.utils, alignment models from whisperx.alignment; where that names a
bundle of torchaudio, the same weights on the hub are used (`facebook/...`). Sizes are those of the files fetched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jobs.pipeline.errors import UnknownLanguage, UnknownModel

Kind = Literal["whisper", "align"]

_MEGABYTE = 1_000_000

WHISPER: Mapping[str, tuple[str, int]] = {
    "tiny": ("Systran/faster-whisper-tiny", 78),
    "base": ("Systran/faster-whisper-base", 148),
    "small": ("Systran/faster-whisper-small", 487),
    "medium": ("Systran/faster-whisper-medium", 1531),
    "large-v2": ("Systran/faster-whisper-large-v2", 3090),
    "large-v3": ("Systran/faster-whisper-large-v3", 3091),
    "large-v3-turbo": ("mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1621),
    "distil-large-v3": ("Systran/faster-distil-whisper-large-v3", 1517),
}
"""Whisper models by name: repository on the hub, and rounded size in megabytes."""

_BASE, _LARGE = 378, 1262

ALIGN: Mapping[str, tuple[str, int]] = {
    "en": ("facebook/wav2vec2-base-960h", _BASE),
    "fr": ("facebook/wav2vec2-base-10k-voxpopuli-ft-fr", _BASE),
    "de": ("facebook/wav2vec2-base-10k-voxpopuli-ft-de", _BASE),
    "es": ("facebook/wav2vec2-base-10k-voxpopuli-ft-es", _BASE),
    "it": ("facebook/wav2vec2-base-10k-voxpopuli-ft-it", _BASE),
    "ja": ("jonatasgrosman/wav2vec2-large-xlsr-53-japanese", _LARGE),
    "zh": ("jonatasgrosman/wav2vec2-large-xlsr-53-chinese-zh-cn", _LARGE),
    "nl": ("jonatasgrosman/wav2vec2-large-xlsr-53-dutch", _LARGE),
    "uk": ("Yehor/wav2vec2-xls-r-300m-uk-with-small-lm", _LARGE),
    "pt": ("jonatasgrosman/wav2vec2-large-xlsr-53-portuguese", _LARGE),
    "ar": ("jonatasgrosman/wav2vec2-large-xlsr-53-arabic", _LARGE),
    "cs": ("comodoro/wav2vec2-xls-r-300m-cs-250", _LARGE),
    "ru": ("jonatasgrosman/wav2vec2-large-xlsr-53-russian", _LARGE),
    "pl": ("jonatasgrosman/wav2vec2-large-xlsr-53-polish", _LARGE),
    "hu": ("jonatasgrosman/wav2vec2-large-xlsr-53-hungarian", _LARGE),
    "fi": ("jonatasgrosman/wav2vec2-large-xlsr-53-finnish", _LARGE),
    "fa": ("jonatasgrosman/wav2vec2-large-xlsr-53-persian", _LARGE),
    "el": ("jonatasgrosman/wav2vec2-large-xlsr-53-greek", _LARGE),
    "tr": ("mpoyraz/wav2vec2-xls-r-300m-cv7-turkish", _LARGE),
    "da": ("saattrupdan/wav2vec2-xls-r-300m-ftspeech", _LARGE),
    "he": ("imvladikon/wav2vec2-xls-r-300m-hebrew", _LARGE),
    "vi": ("nguyenvulebinh/wav2vec2-base-vi-vlsp2020", _BASE),
    "ko": ("kresnik/wav2vec2-large-xlsr-korean", _LARGE),
    "ur": ("kingabzpro/wav2vec2-large-xls-r-300m-Urdu", _LARGE),
    "te": ("anuragshas/wav2vec2-large-xlsr-53-telugu", _LARGE),
    "hi": ("theainerd/Wav2Vec2-large-xlsr-hindi", _LARGE),
    "ca": ("softcatala/wav2vec2-large-xlsr-catala", _LARGE),
    "ml": ("gvs/wav2vec2-large-xlsr-malayalam", _LARGE),
    "no": ("NbAiLab/nb-wav2vec2-1b-bokmaal-v2", 3852),
    "nn": ("NbAiLab/nb-wav2vec2-1b-nynorsk", 3852),
    "sk": ("comodoro/wav2vec2-xls-r-300m-sk-cv8", _LARGE),
    "sl": ("anton-l/wav2vec2-large-xlsr-53-slovenian", _LARGE),
    "hr": ("classla/wav2vec2-xls-r-parlaspeech-hr", _LARGE),
    "ro": ("gigant/romanian-wav2vec2", _LARGE),
    "eu": ("stefan-it/wav2vec2-large-xlsr-53-basque", _LARGE),
    "gl": ("ifrz/wav2vec2-large-xlsr-galician", _LARGE),
    "ka": ("xsway/wav2vec2-large-xlsr-georgian", _LARGE),
    "lv": ("jimregan/wav2vec2-large-xlsr-latvian-cv", _LARGE),
    "fil": ("Khalsuu/filipino-wav2vec2-l-xls-r-300m-official", _LARGE),
    "sv": ("KBLab/wav2vec2-large-voxrex-swedish", _LARGE),
    "id": ("cahya/wav2vec2-large-xlsr-indonesian", _LARGE),
}
"""Alignment models by language: repository on the hub, and rounded size in megabytes."""

# Required files: of each tuple at least one. Without tokenizer.json faster-whisper would ask the hub for it in the
# middle of a job.
_NEEDED: Mapping[Kind, tuple[tuple[str, ...], ...]] = {
    "whisper": (("model.bin",), ("config.json",), ("tokenizer.json",), ("vocabulary.json", "vocabulary.txt")),
    "align": (
        ("model.safetensors", "pytorch_model.bin"),
        ("config.json",),
        ("preprocessor_config.json",),
        ("vocab.json",),
    ),
}
_USEFUL: Mapping[Kind, tuple[str, ...]] = {
    "whisper": ("preprocessor_config.json",),
    "align": ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A model that can be fetched. `size` is approximate, in bytes; `name` is a Whisper name or a language code."""

    kind: Kind
    name: str
    repository: str
    size: int

    def directory(self, models: Path) -> Path:
        """Its directory inside the models directory."""
        return models / self.kind / self.name


def whisper(name: str) -> Model:
    """The Whisper model of that name. Raises UnknownModel."""
    if name not in WHISPER:
        raise UnknownModel(engine="WhisperX", model=name, setting="WHISPERX_MODEL")
    repository, megabytes = WHISPER[name]
    return Model(kind="whisper", name=name, repository=repository, size=megabytes * _MEGABYTE)


def aligner(language: str) -> Model:
    """The alignment model of a language code. Raises UnknownLanguage when there is none."""
    if language not in ALIGN:
        raise UnknownLanguage(language=language)
    repository, megabytes = ALIGN[language]
    return Model(kind="align", name=language, repository=repository, size=megabytes * _MEGABYTE)


def whisper_directory(model: str, models: Path) -> Path:
    """Directory of a Whisper model, which need not exist; `model` is a name, or the absolute path of a directory."""
    return Path(model) if Path(model).is_absolute() else Model.directory(whisper(model), models)


def align_directory(language: str, models: Path) -> Path:
    """Directory of the alignment model of a language, which need not exist."""
    return models / "align" / language


def missing(directory: Path, kind: Kind) -> list[str]:
    """Names of required files that `directory` lacks; empty when the model is complete."""
    return [names[0] for names in _NEEDED[kind] if not any((directory / name).is_file() for name in names)]


def wanted(names: list[str], kind: Kind) -> list[str]:
    """Select the files of a repository to fetch: the first available of each required choice, and the optional ones."""
    chosen = [next((name for name in choice if name in names), None) for choice in _NEEDED[kind]]
    return [name for name in (*chosen, *_USEFUL[kind]) if name is not None and name in names]


def install(source: Path, target: Path, kind: Kind) -> None:
    """Copy the files of a model from `source` to `target`, which is created by a rename once it is complete.

    Raises FileNotFoundError, naming the files that `source` lacks.
    """
    if lacking := missing(source, kind):
        raise FileNotFoundError(", ".join(lacking))
    coming = target.with_name(f".{target.name}.coming")
    shutil.rmtree(coming, ignore_errors=True)
    coming.mkdir(parents=True)
    for name in wanted([path.name for path in source.iterdir()], kind):
        shutil.copyfile(source / name, coming / name)
    publish(coming, target)


def publish(coming: Path, target: Path) -> None:
    """Rename the complete directory `coming` to `target`, which it replaces."""
    if target.exists():
        shutil.rmtree(target)
    os.replace(coming, target)  # noqa: PTH105 - Path.replace says the same; both are one rename
