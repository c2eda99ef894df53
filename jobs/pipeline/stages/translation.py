"""The translate stage: it translates cues as they arrive, asks the worker before each paid call, and follows edits of
the brief.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobs.pipeline.notes import NoteCode
from jobs.pipeline.process.messages import NOT_FINAL, Reading, TranslateTask
from jobs.pipeline.protocols import CallEnd, Document, Metered, Reader, Translation, Translator, Usage
from jobs.pipeline.stage import StepName
from jobs.pipeline.stages.context import Reporter, StageContext, StageResult
from jobs.pipeline.stages.translate import lines, translate, translated_cue
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.text.languages import Language, language


def translate_task(task: TranslateTask, context: StageContext) -> StageResult:
    """Translate the cues of each window as they are recognised. Windows end in silences, so no sentence is cut."""
    translator = context.engines.translator(task.engine, task.options) if task.engine else None
    meter = _ReportedMeter(context.report, language(task.brief.target))
    if isinstance(translator, Metered):
        translator.meter = meter
    if translator and not isinstance(translator, Reader) and (task.reading or task.brief.careful):
        context.report.note(NoteCode.NO_LANGUAGE_MODEL, engine=translator.name)
    if task.reading:
        _read(task, task.reading, translator, context)
    done, known = dict[int, str](), list[Cue]()
    for cues, translated in context.cues():
        known += cues
        meter.cues |= {cue.id: cue for cue in cues}
        done |= translated
        _translate_known(task, known, done, translator, context)
    if not translator:
        context.report.note(NoteCode.SUBTITLES_IN_TARGET, language=language(task.brief.target).name)
    return StageResult(files={}, outcome={})


@dataclass(slots=True)
class _ReportedMeter:
    """The Meter of a translation: it asks for leave, and reports what was used and what can be kept already."""

    report: Reporter
    target: Language
    cues: dict[int, Cue] = field(default_factory=dict)

    def before_call(self, expected: Usage) -> None:
        self.report.call(expected)

    def after_call(self, used: Usage, way: CallEnd) -> None:
        self.report.called(used, way)

    def keep(self, translations: Sequence[Translation]) -> None:
        kept = [translated_cue(self.cues[one.id], one, self.target) for one in translations if one.id in self.cues]
        self.report.translated(tuple(kept), Usage(), NOT_FINAL)


def _read(task: TranslateTask, reading: Reading, translator: Translator | None, context: StageContext) -> None:
    """Read the whole transcript for the brief, until a person has written one. A translator that cannot do that leaves
    the brief empty.
    """
    cues = [cue for part, _ in context.cues() for cue in part]
    document, upto = reading.document, reading.upto
    if isinstance(translator, Reader) and not context.brief()[0]:
        context.report.step(StepName.READ_TRANSCRIPT)
        transcript = lines(cues, language(task.brief.target), task.brief.source)
        for part in translator.read(transcript, task.brief, document, upto):
            document, upto = part.document, part.upto
            context.report.briefed(document, upto, _unmetered(part.usage, translator), whole=False)
            if part.left_out:
                context.report.note(NoteCode.BRIEF_INCOMPLETE)
            if context.brief()[0]:
                break
        context.report.step(None)
    context.report.briefed(document, upto, Usage(), whole=True)


def _unmetered(usage: Usage, translator: object) -> Usage:
    """The tokens that the meter has not reported."""
    return Usage() if isinstance(translator, Metered) else usage


def _translate_known(
    task: TranslateTask,
    known: list[Cue],
    done: dict[int, str],
    translator: Translator | None,
    context: StageContext,
) -> None:
    """Translate the `known` cues that are not in `done`, and add their texts to it. When the brief changes, what is
    left is translated with the new one.
    """
    while True:
        revision, document = _newest_brief(task, context)
        brief = task.brief.with_document(document)
        for part in translate(known, translator, brief, target=language(brief.target), done=done):
            context.report.translated(part.cues, _unmetered(part.usage, translator), revision)
            done |= {cue.id: cue.target for cue in part.cues}
            if _newest_brief(task, context)[0] != revision:
                break
        else:
            return


def _newest_brief(task: TranslateTask, context: StageContext) -> tuple[int, Document | None]:
    return max((task.revision, task.document), context.brief(), key=lambda brief: brief[0])
