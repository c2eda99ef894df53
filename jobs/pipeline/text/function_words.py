"""Function words of the most frequent languages, for `phrases`: conjunctions, prepositions, articles, pronouns,
auxiliaries, particles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionWords:
    """Common words of a language, in lower case.

    A line may begin with `conjunctions` and `prepositions`, and end with none of them. `clinging` words belong to the
    next word, `trailing` words to the one before. `loosely_clinging` and `loosely_trailing` do so in most sentences:
    pronouns that are often objects, particles of verbs, verbs with a noun of their own; a word that is also `clinging`
    does so only before a conjunction or preposition. `counting` words belong to the next word, unless it is a function
    word. `pairs` are two words of one meaning. `genitives` are those of the clinging words that tie a noun to the one
    before. `clause_ends` are verbs that end a clause. `articles` may begin a list of adjectives, for which `adjectives`
    are some that no ending tells.
    """

    conjunctions: frozenset[str] = frozenset()
    prepositions: frozenset[str] = frozenset()
    clinging: frozenset[str] = frozenset()
    loosely_clinging: frozenset[str] = frozenset()
    trailing: frozenset[str] = frozenset()
    loosely_trailing: frozenset[str] = frozenset()
    counting: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, ...]] = frozenset()
    genitives: frozenset[str] = frozenset()
    clause_ends: frozenset[str] = frozenset()
    articles: frozenset[str] = frozenset()
    adjectives: frozenset[str] = frozenset()
    capitals_are_names: bool = True
    has_ezafe: bool = False


def _words(*, names: bool = True, ezafe: bool = False, pairs: str = "", **lists: str) -> FunctionWords:
    sets = {kind: frozenset(words.split()) for kind, words in lists.items()}
    tied = frozenset(tuple(pair.split()) for pair in pairs.split(",") if pair)
    return FunctionWords(capitals_are_names=names, has_ezafe=ezafe, pairs=tied, **sets)


NONE = FunctionWords()

KNOWN: Mapping[str, FunctionWords] = {
    "en": _words(
        conjunctions="and but or nor so yet because although though while when whenever where wherever if unless "
        "until till since that which who whose whom than whether as before after how why what lest whereas",
        prepositions="in on at to for with from by about into onto over under between among amongst through "
        "throughout during without within against across behind beyond near toward towards upon above below beneath "
        "beside besides despite except inside outside along alongside around amid underneath per via like unlike past",
        clinging="of a an the my your his her its our their this these those every each some any no very not never "
        "always such both either neither i we he she they it you too quite rather more most less only even just also "
        "there whatever whichever whoever am is are was were be been being have has had having do does did can could "
        "may might must shall should will would ought cannot let's don't doesn't didn't isn't aren't wasn't weren't "
        "haven't hasn't hadn't won't wouldn't can't couldn't shouldn't mustn't mightn't needn't ain't i'm i've i'll "
        "i'd you're you've you'll you'd he's he'll he'd she's she'll she'd it's it'll it'd we're we've we'll we'd "
        "they're they've they'll they'd that's that'll there's there'll here's what's who's who'll where's how's mr "
        "mrs ms miss dr",
        genitives="of",
        counting="one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred "
        "thousand million several another other own half first second third last next same",
        pairs="according to,instead of,due to,owing to,prior to,rather than,other than,kind of,sort of,lot of,"
        "plenty of,able to,going to,used to,want to,wanted to,have to,each other,one another,no one,of course,at all,"
        "at least,at once,as well,one or",
        loosely_clinging="it you her this these those both each all me him us them myself yourself himself herself "
        "itself ourselves yourselves themselves mine yours hers ours theirs someone somebody something anyone anybody "
        "anything everyone everybody everything nobody nothing none up out off down away back",
        loosely_trailing="up out off down away back not me him us them",
        articles="a an the my your his her its our their this that these those no some any very",
        adjectives="bad big black blue bright broad brown cheap clean clear clever cold cool cruel dark dead dear "
        "deep dirty dry dull dusty easy empty fair false fat fierce fine firm flat foul free fresh funny gentle "
        "gloomy good grand gray great green grey happy hard heavy high hollow holy honest hot huge keen kind large "
        "last lazy lean light little lonely long loud low lucky mad mean merry mild narrow neat new nice noisy odd "
        "old pale plain poor pretty proud pure quick quiet rainy rare raw ready real red rich rough round sad sharp "
        "short shy sick silly simple slight slim slow small smart smooth soft sour steady steep stern stiff stout "
        "straight strange strong sunny sweet swift tall tame thick thin tight tiny tired true ugly vague vast warm "
        "weak weary wet white whole wide wild windy wise worn yellow young",
    ),
    "fa": _words(
        conjunctions="و یا اما ولی لیکن که چون زیرا اگر تا وقتی هنگامی هرچند گرچه اگرچه چنانچه بلکه پس سپس چه یعنی "
        "چراکه درحالی‌که وقتی‌که هنگامی‌که زیراکه",
        prepositions="از به در با بر برای بدون بی بین میان درباره دربارهٔ مانند مثل همچون روی زیر بالای کنار پیش نزد "
        "جز به‌جز مگر ضد علیه توسط سوی به‌سوی طی پس‌از پیرامون به‌عنوان به‌وسیلهٔ به‌دلیل به‌خاطر",
        clinging="این آن هر هیچ یک می نمی همین همان چند کدام چه همه بسیار خیلی بعضی برخی هیچ‌یک هریک همدیگر حتی باید "
        "نباید بایستی می‌بایست شاید می‌توان نمی‌توان بتوان می‌توانم می‌توانی می‌تواند می‌توانیم می‌توانید می‌توانند "
        "نمی‌توانم نمی‌توانی نمی‌تواند نمی‌توانیم نمی‌توانید نمی‌توانند خواهم خواهی خواهد خواهیم خواهید خواهند نخواهم "
        "نخواهی نخواهد نخواهیم نخواهید نخواهند نه غیر قابل عدم ضمن غالب",
        counting="دو سه چهار پنج شش هفت هشت ده صد هزار میلیون میلیارد اولین دومین سومین آخرین نخستین بزرگ‌ترین بهترین "
        "مهم‌ترین",
        pairs="بعد از,قبل از,پیش از,پس از,بیش از,بیشتر از,کمتر از,بسیاری از,بعضی از,برخی از,یکی از,یک از,غیر از,"
        "ناشی از,خارج از,صرف نظر,با توجه,توجه به,نسبت به,مربوط به,راجع به,بنا بر,علاوه بر",
        loosely_clinging="من تو او وی ما شما آنها آن‌ها ایشان آنان اینها این‌ها خود خویش خودش خودم خودت یکدیگر دیگران "
        "کسی چیزی دیگر دیگری هم",
        trailing="را هم نیز ها های هایی ام ای اند است نیست هست بود نبود بودم بودی بودیم بودید بودند باشم باشد باشیم "
        "باشید باشند نباشد نباشند شد شدم شدیم شدید شدند نشد نشدند شود شوم شویم شوید شوند نشود نشوند شده می‌شود می‌شوم "
        "می‌شویم می‌شوید می‌شوند نمی‌شود نمی‌شوند شده‌اند شده‌است خواهد خواهند خواهم خواهیم خواهید",
        loosely_trailing="کرد کردم کردی کردیم کردید کردند کرده کرده‌اند نکرد نکردند کند کنم کنی کنیم کنید کنند نکند "
        "نکنید می‌کند می‌کنم می‌کنی می‌کنیم می‌کنید می‌کنند نمی‌کند نمی‌کنم نمی‌کنیم نمی‌کنید نمی‌کنند می‌کرد "
        "می‌کردند کن بکند بکنند بکنید داد دادم دادند داده داده‌اند می‌دهد می‌دهم می‌دهیم می‌دهید می‌دهند نمی‌دهد دهد "
        "دهند دهید بدهد بدهند بدهید می‌داد دارد دارم داری داریم دارید دارند داشت داشتم داشتند داشته داشته‌اند ندارد "
        "ندارم ندارند نداشت نداشتند گرفت گرفتم گرفتند گرفته گرفته‌اند می‌گیرد می‌گیرند بگیرد بگیرند گیرد گیرند یافت "
        "یافته یافتند می‌یابد یابد زد زده زدند می‌زند می‌زنند بزند خورد خورده می‌خورد آمد آمده می‌آید آمدند ماند "
        "مانده می‌ماند نمود نمودند نموده می‌نماید نماید گردید گردیده گردد می‌گردد ساخت ساخته سازد می‌سازد رسید رسیده "
        "می‌رسد",
        clause_ends="است نیست هست بود نبود بودم بودیم بودند باشد باشند نباشد باشید باشیم شد شدم شدند نشد شود شوند "
        "نشود شوید کرد کردم کردیم کردند کردید نکرد کند کنند کنم کنیم کنید نکند نکنید داد دادم دادند دهد دهند بدهد "
        "بدهند دارد دارم داریم دارید دارند داشت داشتم داشتند ندارد ندارند نداشت گرفت گرفتند گیرد بگیرد یافت یابد زد "
        "زدند بزند خورد آمد آمدند ماند نمود نمودند نماید گردید گردد ساخت سازد رسید رفت رفتند رفتم گفت گفتم گفتند دید "
        "دیدم دیدند نشست برد بردند آورد آوردند گذاشت نوشت خواند ایستاد افتاد برود بروند بیاید بماند ببیند بگوید بداند "
        "باشم نیستم نیستند نیستیم هستند هستم هستیم هستید",
        ezafe=True,
    ),
    "es": _words(
        conjunctions="y e o u pero sino porque aunque mientras cuando donde si que quien cual cuyo como pues ni",
        prepositions="en a al con sin para por sobre entre hasta desde hacia según contra durante tras ante bajo",
        clinging="de del el la los las un una unos unas lo mi mis tu tus su sus nuestro nuestra este esta estos estas "
        "ese esa esos esas cada muy no se me te le les nos yo tú él ella ellos ellas he has ha hemos han había habían "
        "es son era eran está están estaba estaban fue fueron",
        genitives="de del",
    ),
    "fr": _words(
        conjunctions="et ou mais donc or ni car que qui dont où quand lorsque puisque parce si comme quoique tandis",
        prepositions="en à au aux avec sans pour par sur sous dans entre chez vers depuis pendant contre avant après",
        clinging="de du des le la les un une mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet "
        "cette ces chaque très ne je tu il elle on nous vous ils elles se me te ai as a avons avez ont avait avaient "
        "suis es est sommes êtes sont était étaient",
        genitives="de du des",
        trailing="pas",
    ),
    "de": _words(
        conjunctions="und oder aber denn sondern weil dass wenn als ob obwohl während bevor nachdem damit sowie doch "
        "wo wie",
        prepositions="in im an am auf aus bei beim mit nach von vom zu zum zur für über unter vor hinter neben "
        "zwischen durch gegen ohne um bis seit",
        clinging="der die das den dem des ein eine einen einem einer eines mein meine dein deine sein seine ihr ihre "
        "unser unsere dieser diese dieses jeder jede jedes kein keine sehr nicht ich er wir",
        genitives="des der",
        names=False,
    ),
    "ar": _words(
        conjunctions="و أو أم لكن ولكن لأن إذا إن أن التي الذي الذين حتى عندما بينما حيث كما ثم بل وقد وأن",
        prepositions="من في إلى على عن مع بين تحت فوق أمام خلف بعد قبل عند منذ خلال حول دون ضد وفي ومن وعلى",
        clinging="هذا هذه ذلك تلك هؤلاء كل لا لم لن ما قد سوف يا غير",
    ),
}
"""By the language's code."""
