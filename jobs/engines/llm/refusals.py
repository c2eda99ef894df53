"""Refusals and questions back of models, in the languages of their users: “I cannot translate this text.”

No single word shows a refusal, since people in films are sorry and cannot help either. A text is one if it has words of
two kinds, such as those for “cannot” and “translate”, and its source has none that may be translated so.
"""

from __future__ import annotations

import re


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_TRANSLATE = _any(
    r"\btranslat|ترجم|\btraduc|\btradui|\btraduz|\btradurr|übersetz|\bvertal|översätt|oversett",
    r"oversæt|przetłumacz",
    r"\bpřekl|(?:metn|metin|cümle|satır)\w* .{0,20}çevir|çevrilecek metn|תרג|翻译|翻譯|翻訳|번역",
    r"अनुवाद|menerjemah|diterjemah|\bdịch (?:văn bản|đoạn|câu|nội dung|này)",
    r"перекла(?:сти|ду) (?:це|текст)",
    r"перев(?:ести|ода?|одить) (?:эт|текст|данн|строк|фраз|тебе|вам)|для перевода",
)
ABOUT = _any(
    r"translat|model|модел|نموذج|\b(?:AI|IA|KI|ИИ)\b|robot|روبات|ربات|робот|ترجم|مدل زبان|هوش",
    r"traduc|tradui|traduz|übersetz",
    r"vertal|översätt|oversett|oversæt|перев|перекла|tłumacz|překl|prevod|preved|çevir|תרג|翻",
    r"번역|अनुवाद|terjemah|dịch",
    r"\bhelp|\bwords?\b|langu|interpret|\bin [A-Z]\w+(?:ish|an|ese|ch)\b|زبان",
)
"""A source that may speak of translating, or of machines that do."""

_CANNOT = _any(
    r"can(?:no|['’])t|can not|\bunable\b|\bwon['’]t|not able|not possible|impossible|نمی‌?توان",
    r"قادر.{0,30}نیست|ممکن نیست|پذیر نیست",
    r"مقدور نیست|مغایرت|در دسترس نیست|no puedo|no podemos|no es posible",
    r"ne (?:peux|puis|pouvons) pas|nicht|\bне мо[гж]|невозможно",
    r"لا (?:أستطيع|استطيع|يمكن)|[ea]mem\b|amam\b|edemiyor|无法|無法|不能|できません|できない|없|non posso",
    r"não posso|não consigo|\bniet\b",
    r"nie (?:mogę|potrafię)|नहीं|לא (?:יכול|ניתן)|tidak (?:dapat|bisa)|không thể|\binte\b|\bikke\b",
)
_TEXT = _any(
    r"\btext|متن|\bنصا?\b|النص|\btexto|\btexte\b|текст|\bmetn|\bmetin|文本|文字|テキスト|텍스트|\btesto",
    r"\btekst|văn bản|टेक्स्ट|पाठ|טקסט|\bteks\b",
)
_REQUEST = _any(
    r"\brequest|\bcontent\b|guideline|\bpolic(?:y|ies)|درخواست|محتوا|سیاست|\bsolicitud",
    r"petici[oó]n|contenido|\bdemande|contenu",
    r"anfrage|inhalt|запрос|просьб|содержани|контент|الطلب|محتوى|\bistek|iste[ğk]|talep|içerik",
    r"请求|請求|要求|内容|リクエスト|依頼|요청|내용",
    r"richiest|contenut|\bpedido|conteúdo|verzoek|inhoud|prośb|żądani|treści|запит|अनुरोध",
    r"सामग्री|בקש|תוכן|permintaan|konten|yêu cầu|nội dung",
    r"begäran|förfrågan|innehåll",
)
_SORRY = _any(
    r"sorry|apolog|متأسف|متاسف|شرمنده|پوزش|ببخش|lo siento|disculp|désol|tut mir leid|entschuld",
    r"извин|сожалени|прост|عذر|آسف",
    r"üzgün|özür|抱歉|对不起|對不起|申し訳|すみません|ごめん|죄송|미안|dispiace|scus|desculp|sinto|spijt|przepraszam|przykro|вибач",
    r"क्षमा|माफ|מצטער|סליחה|maaf|xin lỗi|tyvärr|ledsen|beklager",
)
_HELP = _any(
    r"\bhelp|assist|کمک|همراهی|ayud|aider|aide\b|helfen|помо[чг]|مساعد|yardım|帮助|協助|お手伝い|도와|도움",
    r"aiut|ajud|pomóc|допомог|सहायता|मदद",
    r"לעזור|membantu|giúp|hjälp|hjelp",
)
_ENGLISH = re.compile(
    r"(?=.*\b(?:the|an?|to|of|and|is|was|he|she|it|you|i|we|they|in|on|that|this|for)\b)[\x00-\x7f’“”—…]+",
    re.IGNORECASE,
)
_MAY_BE_SORRY = _any(
    r"sorry|apolog|pardon|excuse|forgiv|afraid|regret|unfortunat|can['’]?t|cannot|unable",
    r"not able|help|assist|could",
)

_ITSELF = _any(
    r"\bas an? (?:ai|language model)|(?:i am|i['’]m) (?:just )?an? (?:ai|language model)\b",
    r"به عنوان (?:یک )?(?:هوش مصنوعی|مدل زبان|دستیار)",
    r"من (?:فقط |تنها )?(?:یک )?(?:هوش مصنوعی|مدل زبان)",
    r"como (?:una? )?(?:IA|modelo de lenguaje|inteligencia artificial)\b",
    r"en tant qu['’e ]*(?:IA\b|modèle de langage|intelligence artificielle)",
    r"\bals (?:KI|ein(?:e)? (?:KI|sprachmodell))",
    r"как (?:ИИ\b|языковая модель|искусственный интеллект)",
    r"como (?:um modelo de linguagem|uma IA\b)|come modello (?:di lingu|lingu)",
    r"yapay zeka (?:dil )?model|dil modeli olarak|作为(?:一个|一個)?(?:人工智能|AI|语言模型)",
    r"作為(?:一個)?(?:人工智慧|AI|語言模型)",
    r"(?:言語モデル|AI)として|(?:언어 모델|인공지능)(?:로서|이기)|(?:كنموذج لغ|بصفتي نموذج|كذكاء اصطناعي)",
)
"""Words of a model about itself."""

_NO_TEXT = _any(
    r"no text (?:was |has been |is )?(?:provided|given)",
    r"(?:provide|send|give|share) (?:me )?(?:with )?the text|متنی? (?:\S+ )?ارائه نشده",
    r"متن (?:مورد نظر|خود|زیرنویس|اصلی) (?:\S+ ){0,4}(?:بفرستید|ارسال کنید|وارد کنید)",
    r"متنی برای ترجمه|no se (?:ha )?proporcion\w+ (?:\w+ )?texto",
    r"aucun texte (?:n['’]|fourni)|kein text (?:angegeben|vorhanden)",
    r"текст не (?:предоставлен|указан)|(?:توفير|تقديم) (?:أي )?نص",
    r"(?:未|没有)提供.{0,6}(?:文本|文字)|metin (?:sağlan|veril)m|nessun testo|nenhum texto",
)
"""A question back for the text."""

_PREAMBLE = re.compile(
    r"(?:here(?: is|['’]s| are)|below is|در اینجا|در زیر|این(?:جا)? ترجمه|aquí (?:está|tienes)|voici|hier ist|вот|"
    r"إليك|以下是|işte|ecco|aqui está)\b.{0,30}(?:translat|ترجم|tradu|übersetz|перевод|翻译|çevir).{0,20}[:：]$",
    re.IGNORECASE,
)
"""The sentence before an answer."""

_NEEDS_NONE = _any(
    r"(?:نیازی? به ترجمه|ترجمه (?:لازم|نیاز)) (?:ندارد|نیست)|قابل ترجمه (?:نیست|نمی)",
    r"ترجمه (?:نشد|نشده است)\.?$",
    r"does(?:n['’]t| not) need (?:to be )?translat|no (?:necesita|requiere) traducción",
    r"nécessite pas de traduction",
)


def is_refusal(source: str, text: str) -> bool:
    """Whether a text is a refusal, or a question back, that its source does not have."""
    told_of_translating = bool(_TRANSLATE.search(text)) and (_CANNOT.search(text) or _TEXT.search(text))
    about = told_of_translating or _ITSELF.search(text) or _PREAMBLE.search(text) or _NEEDS_NONE.search(text)
    if about and not ABOUT.search(source):
        return True
    if _NO_TEXT.search(text) and not (_TEXT.search(source) or ABOUT.search(source)):
        return True
    if _CANNOT.search(text) and _REQUEST.search(text) and (_SORRY.search(text) or _HELP.search(text)):
        return not any(kind.search(source) for kind in (_REQUEST, _SORRY, _HELP, _MAY_BE_SORRY))
    sorry = _SORRY.search(text) and _CANNOT.search(text) and (_HELP.search(text) or _REQUEST.search(text))
    return bool(sorry and _ENGLISH.fullmatch(source) and not _MAY_BE_SORRY.search(source))
