"""Texts that are no translations: remarks, refusals, notes, labels, and the source again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from jobs.engines.llm.answers import clean, rejection_reason
from jobs.engines.llm.remarks import bare, is_censored, is_nearly_source, is_remark
from jobs.pipeline.protocols import Brief
from jobs.pipeline.text.languages import are_related, language
from tests.engines.llm_doubles import PERSIAN, MemoryModel, line, run

SOURCE = "Nobody knew the reason."


@pytest.mark.parametrize(
    "text",
    [
        "(no translation)",
        "[ترجمه‌ای ارائه نشد]",
        "هیچ‌کس دلیلش را نمی‌دانست. (توضیح: در اینجا ماضی است)",
        "Nadie sabía la razón. [Nota del traductor: literal]",
        "بدون ترجمه",
        "No translation available.",
        "N/A",
        "sin traducción",
        "I'm sorry, I cannot translate this text.",
        "As an AI language model, I have no context.",
        "متأسفم، نمی‌توانم این متن را ترجمه کنم.",
        "لطفاً متنی برای ترجمه بفرستید.",
        "Lo siento, no puedo traducir esto.",
        "Je ne peux pas traduire ce texte.",
        "Das kann ich leider nicht übersetzen.",
        "Я не могу перевести этот текст.",
        "متأسفم، نمی‌توانم این درخواست را انجام دهم.",
        "متأسفم، نمی‌توانم در این مورد به شما کمک کنم.",
        "ببخشید، من قادر به ترجمه این متن نیستم.",
        "لطفاً متن مورد نظر خود را برای ترجمه ارسال کنید.",
        "متن ارائه نشده است.",
        "این جمله نیازی به ترجمه ندارد.",
        "به دلیل محتوای نامناسب، ترجمه امکان‌پذیر نیست.",
        "با عرض پوزش، این محتوا با سیاست‌های ما مغایرت دارد.",
        "در اینجا ترجمه متن شما آمده است:",
        "ترجمه‌ی این سطر ممکن نیست.",
        "متن ترجمه شده",
        "همان خط قبل",
        "توجه: این جمله مبهم است.",
        "None",
        "Lo siento, no puedo ayudar con esa solicitud.",
        "Désolé, je ne peux pas vous aider.",
        "Als KI-Sprachmodell kann ich das nicht.",
        "Bitte geben Sie den zu übersetzenden Text an.",
        "К сожалению, я не могу помочь с этим запросом.",
        "لم يتم توفير نص للترجمة.",
        "عذراً، لا يمكنني المساعدة في هذا الطلب.",
        "Üzgünüm, bu metni çeviremem.",
        "Lütfen çevrilecek metni gönderin.",
        "抱歉，我无法翻译此内容。",
        "请提供需要翻译的文本。",
        "申し訳ありませんが、翻訳できません。",
        "죄송하지만 번역할 수 없습니다.",
        "Desculpe, não posso traduzir este conteúdo.",
        "Mi dispiace, non posso tradurre questo testo.",
        "Sorry, ik kan deze tekst niet vertalen.",
        "Przepraszam, nie mogę przetłumaczyć tego tekstu.",
        "Вибачте, я не можу перекласти цей текст.",
        "क्षमा करें, मैं इसका अनुवाद नहीं कर सकता।",
        "Maaf, saya tidak dapat menerjemahkan teks ini.",
        "Xin lỗi, tôi không thể dịch văn bản này.",
    ],
)
def test_remarks_and_refusals(text: str) -> None:
    assert is_remark(SOURCE, text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that request.",
        "I can’t translate this line.",
        "Please provide the text to translate.",
        "No text provided.",
        "Sorry, I am unable to assist with this content.",
        "Here is the translation:",
    ],
)
def test_refusals_in_english(text: str) -> None:
    assert is_remark("بعد او در را بست.", text)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("[PATH]", "[sin traducción]"),
        ("بار کردن پرونده‌ی TIFF شکست خورد", "[sin traducción]"),
        ("این NASA است.", "(ترجمه‌ای در دست نیست)"),
        ("Warranty", "(no translation)"),
        ("(Whispering)", "[untranslatable]"),
        ("♪ We go on ♪", "بدون ترجمه"),
    ],
)
def test_remarks_on_lines_with_brackets_or_capitals(source: str, text: str) -> None:
    assert is_remark(source, text)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("[PATH]", "[RUTA]"),
        ("DOOR SLAMS", "[در به هم می‌خورد]"),
        (SOURCE, "هیچ‌کس دلیلش را نمی‌دانست."),
        ("He left (again, as he always does).", "او رفت (باز هم، مثل همیشه)."),
        ("(He leaves the room.)", "(از اتاق بیرون می‌رود.)"),
        ("I can't translate that.", "نمی‌توانم این را ترجمه کنم."),
        ("I am a language model.", "من یک مدل زبانی هستم."),
        ("He works with AI.", "او با هوش مصنوعی کار می‌کند."),
        ("None.", "هیچ."),
        ("I'm sorry, I can't.", "متأسفم، نمی‌توانم."),
        ("He left.", "او (باز) رفت."),
        ("هیچ کدوم.", "None."),
        ("No points at all.", "Null."),
        ("Soy una IA.", "I'm an AI."),
        ("Ik kan dit niet vertalen.", "I can't translate this."),
        ("Es un modelo de lenguaje.", "یک مدل زبانی است."),
        ("NASA, the space agency, said no.", "ناسا (سازمان فضایی آمریکا) گفت نه."),
        ("APPLAUSE", "[تشویق]"),
        ("I'm sorry, I can't help you.", "متأسفم، نمی‌توانم کمکتان کنم."),
        ("Sorry, but I can't help with that.", "Lo siento, pero no puedo ayudar con eso."),
        ("Unfortunately you may not see this material.", "متأسفانه نمی‌توانید این محتوا را ببینید."),
        ("Your request was refused, sorry.", "متأسفیم، درخواست شما را نمی‌توان پذیرفت."),
        ("ببخشید، نمی‌تونم کمکت کنم.", "I'm sorry, I can't help you."),
        ("Es tut mir leid, ich kann Ihrer Bitte nicht folgen.", "I'm sorry, I can't help with your request."),
        ("من یک روبات هستم.", "I am an AI."),
        ("Please send me the letter.", "لطفاً متن نامه را برایم بفرستید."),
        ("I can't catch my breath.", "Не могу перевести дух."),
        ("I can't wire the money today.", "Я не могу перевести деньги сегодня."),
        ("I can't turn my head.", "Başımı çeviremem."),
        ("I can't use this service.", "Tôi không thể dùng dịch vụ này."),
        ("I can't put it into words.", "Je ne peux pas le traduire en mots."),
        ("You can't say that in German.", "Das kann man nicht übersetzen."),
        ("GPT cannot do it.", "مدل زبانی GPT نمی‌تواند این کار را بکند."),
        ("It's called backpropagation.", "به آن پس‌انتشار می‌گویند (backpropagation)."),
        ("Be careful, the door is closed.", "توجه: در بسته است."),
        ("The previous line.", "خط قبلی."),
    ],
)
def test_translations_are_no_remarks(source: str, text: str) -> None:
    assert not is_remark(source, text)


@pytest.mark.parametrize(
    ("source", "text", "shown"),
    [
        (SOURCE, "Translation: Nadie lo sabía.", "Nadie lo sabía."),
        (SOURCE, "ترجمه: هیچ‌کس نمی‌دانست.", "هیچ‌کس نمی‌دانست."),
        ("Note: he left.", "توجه: او رفت.", "توجه: او رفت."),
        (SOURCE, "Line 3: Nadie lo sabía.", "Nadie lo sabía."),
        (SOURCE, "خط ۳: هیچ‌کس نمی‌دانست.", "هیچ‌کس نمی‌دانست."),
        (SOURCE, "FA: هیچ‌کس نمی‌دانست.", "هیچ‌کس نمی‌دانست."),
        (SOURCE, "Nobody knew the reason. → هیچ‌کس نمی‌دانست.", "هیچ‌کس نمی‌دانست."),
        (SOURCE, "Nobody knew the reason: هیچ‌کس نمی‌دانست.", "هیچ‌کس نمی‌دانست."),
        (SOURCE, "هیچ‌کس نمی‌دانست.\n\nNote: colloquial", "هیچ‌کس نمی‌دانست."),
        ("No, I don't.", "No: no quiero.", "No: no quiero."),
        ("No - no way.", "No - de ninguna manera.", "No - de ninguna manera."),
        (SOURCE, "Translation:", "Translation:"),
    ],
)
def test_labels_before_a_text_are_removed(source: str, text: str, shown: str) -> None:
    assert bare(source, text) == shown


@pytest.mark.parametrize(
    ("source", "text", "nearly"),
    [
        ("I saw it in the garden yesterday.", "I saw it in the garden ayer.", True),
        ("We have to go there now, please.", "We have to go there now, bitte.", True),
        ("من دیروز این کتاب را در بازار خریدم.", "من دیروز این کتاب را در سوق خریدم.", True),
        ("I saw it in the garden yesterday.", "Lo vi ayer en el jardín.", False),
        ("Harry Potter and Ron Weasley at Hogwarts", "Harry Potter y Ron Weasley en Hogwarts", False),
        ("No, no, no!", "No, no, no!", False),
        ("A total disaster.", "Un desastre total.", False),
    ],
)
def test_a_source_with_a_word_changed_is_no_translation(source: str, text: str, nearly: bool) -> None:
    assert is_nearly_source(source, text) is nearly


def test_languages_that_are_alike_may_share_sentences() -> None:
    text = "Hun har en hund og en kat."
    related = are_related("da", "nb")
    assert related
    assert not are_related("en", "es")
    source = line(1, "Hun har en hund og en katt.")
    assert rejection_reason(source, text, language("da"), again=False, related=related) == ""
    assert rejection_reason(source, text, language("da"), again=False) == "echo"


@pytest.mark.parametrize(
    ("text", "censored"), [("F***", True), ("f**king", True), ("S**t!", True), ("*", False), ("What the f***", False)]
)
def test_words_that_are_made_unreadable(text: str, censored: bool) -> None:
    assert is_censored(text) is censored


@pytest.mark.parametrize("target", ["fa", "es"])
def test_lines_with_nothing_to_translate_cost_no_question_and_never_vanish(target: str) -> None:
    """The model leaves out signs, and repeats what is made unreadable."""
    signs = {1: "*", 2: "♪♪", 3: "F***", 5: "...", 6: "♪ ♫"}

    def reply(asked: Mapping[str, Any]) -> dict[str, str]:
        assert not {"1", "2", "5", "6"} & set(asked["translate"])
        texts = {"4": "سلام کرد." if target == "fa" else "Saludó.", "3": "F***"}
        return {number: texts[number] for number in asked["translate"]}

    model = MemoryModel(reply)
    lines = [line(number, text) for number, text in sorted({**signs, 4: "He said hello."}.items())]
    answers = run(model, lines, Brief(source="en", target=target))
    assert len(model.questions) == 1
    for number, text in signs.items():
        assert (answers[number].text, answers[number].flags) == (clean(text, language(target)), ())


def test_only_signs_need_no_question() -> None:
    model = MemoryModel()
    assert run(model, [line(1, "♪♪")], PERSIAN)[1].text == "♪♪"
    assert model.questions == []


def test_a_short_text_may_be_the_translation_of_several_lines() -> None:
    sources = ["Thank you very much.", "Thanks so very much.", "Thank you so much.", "Then he left the room."]
    given = {1: "خیلی ممنون.", 2: "خیلی ممنون.", 3: "خیلی ممنون.", 4: "بعد از اتاق رفت."}
    model = MemoryModel(lambda asked: {number: given[int(number)] for number in asked["translate"]})
    lines = [line(number, text) for number, text in enumerate(sources, start=1)]
    assert [one.text for one in run(model, lines).values()] == list(given.values())


def test_a_sentence_may_be_the_same_in_languages_that_are_alike() -> None:
    sources = {1: "Hvor er du?", 2: "Kom her!", 3: "Er du klar?"}
    model = MemoryModel(lambda asked: dict(asked["translate"]))
    answers = run(model, [line(number, text) for number, text in sources.items()], Brief(source="nb", target="da"))
    assert {number: one.text for number, one in answers.items()} == sources


def test_a_line_in_the_target_language_stays() -> None:
    said = replace(line(2, "No lo sé, mi amor, ya veremos."), language="es")
    model = MemoryModel(lambda asked: dict.fromkeys(asked["translate"], "Saludó."))
    answers = run(model, [line(1, "He said hello."), said], Brief(source="en", target="es"))
    assert (answers[2].text, answers[2].flags) == (said.text, ())
