"""Pictures of subtitles: the scenes, how each is drawn by the real ffmpeg, and how two pictures are compared."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.fonts import FONTS
from jobs.pipeline.subtitles.style import Form, Style
from jobs.pipeline.subtitles.writer import write
from jobs.pipeline.text.languages import language

APPROVED = Path(__file__).parents[1] / "data" / "frames"

BACKGROUND = "0x305070"
PATCH = 6
"""Points: about the width of a bracket, so that a sign on the wrong side, or a dot too few, fills a patch."""
TOLERANCE = 14.0
"""The largest difference that passes, of 255. Measured on these scenes: 0 for the same ffmpeg again, up to 9 after a
lossy pass through x264 at the quality that burning uses, up to 10 when the picture moves by an eighth of a point. Of
the mistakes in `test_frames` the smallest, one letter without its dot, makes 22; a comma turned into a semicolon 24,
quotation marks turned round 29, brackets turned round 71, two words that changed places 102."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """One subtitle and how it is to be shown. `source` is needed for the bilingual form only. With a `speaker`, one
    called S1 was heard before.
    """

    text: str
    to: str = "fa"
    source: str = ""
    form: Form = "target"
    style: Style = Style()
    size: tuple[int, int] = (640, 360)
    speaker: str = ""


SCENES = {
    "latin_words": Scene(text="من یک معلم TESOL هستم و با Zoom درس می‌دهم."),
    "digits": Scene(text="کلاس ۲۱ نفرهٔ ما ساعت ۱۰:۳۰ شروع می‌شود."),
    "half_spaces": Scene(text="می‌خواهم کتاب‌هایش را به خانه‌ام بیاورم."),
    "brackets": Scene(text="معلم (TESOL) و [نسخهٔ ۳] از «Python»"),
    "latin_brackets": Scene(text="زبان Python (Java) و (Go) Rust خوب‌اند."),
    "latin_first": Scene(text="YouTube را باز کن و C++ یاد بگیر!"),
    "latin_phrases": Scene(text="«Hello, world!» و (Who is he?) را در «…Go.» گفت!"),
    "signs": Scene(text="سلام 🙂👍🏽 دنیا ♪♫ 𝄞 ▶ ① ★ ﷺ مۖ", size=(960, 540)),
    "latin_list": Scene(text="Python، Java و C#، هر ۳ زبان را بلدم."),
    "price": Scene(text="قیمت این کتاب $99.99 است، نه €۵."),
    "question_percent": Scene(text="آیا ۵۰٪ از کار با Linux است یا 70%؟"),
    "ranges": Scene(text="۱۰-۲۰ نفر با ۰۲۱-۱۲۳۴۵۶۷۸ تماس گرفتند."),
    "address": Scene(text="به https://example.com/fa/ برو، @ali آنجاست."),
    "two_lines": Scene(text="دیروز با دوستم Sara به نمایشگاه کتاب رفتیم، ولی آنجا خیلی شلوغ بود (۵ ساعت صف!)."),
    "dialogue": Scene(text="- تو هم NASA را می‌شناسی؟\n- بله، البته."),
    "bilingual": Scene(text="من یک معلم TESOL هستم.", source="I am a TESOL teacher (since 2010).", form="bilingual"),
    "arabic": Scene(text="أنا معلّم (TESOL) وراتبي $99.99، أليس كذلك؟", to="ar"),
    "hebrew": Scene(text="אני מורה (TESOL) וזה עולה $99.99, נכון?", to="he"),
    "untranslated": Scene(text="Hello, world! (It works.)"),
    "portrait": Scene(
        text="دیروز با دوستم Sara به نمایشگاه کتاب رفتیم، ولی همه‌جا آن‌قدر شلوغ بود که زود برگشتیم.", size=(360, 640)
    ),
    "outline": Scene(text="این یک زیرنویس است، بدون کادر (outline).", style=Style(look="outline")),
    "large_top": Scene(text="این زیرنویس بزرگ، بالای تصویر است.", style=Style(size="large", position="top")),
    "small": Scene(text="این زیرنویس، کوچک و کم‌جا است.", style=Style(size="small")),
    "literal_tags": Scene(text="کد {\\fs90} و <b>C:\\New</b> را ببین."),
    "spanish": Scene(text="¿Cuánto cuesta el año que viene? ¡Ni 100 €!", to="es"),
}
"""Each is approved in tests/data/frames by a person who has read it."""


def draw(scene: Scene) -> Image.Image:
    """The part of the picture that has the subtitle, on a plain colour."""
    with tempfile.TemporaryDirectory() as directory:
        room = Path(directory)
        cues = [Cue(id=1, start=0, end=1, source=scene.source, target=scene.text, speaker=scene.speaker)]
        if scene.speaker:
            cues.insert(0, Cue(id=0, start=5, end=6, source="", target=scene.text, speaker="S1"))
        write(
            *(cues, room / "cues.ass"),
            form=scene.form,
            source=language("en"),
            target=language(scene.to),
            style=scene.style,
            size=scene.size,
        )
        frame = _frame(room, scene.size)
    width, height = scene.size
    top, bottom = (0, height // 3) if scene.style.position == "top" else (height * 6 // 10, height)
    return frame.crop((0, top, width, bottom))


def _frame(room: Path, size: tuple[int, int]) -> Image.Image:
    (room / "fonts").symlink_to(FONTS, target_is_directory=True)
    colour = f"color=c={BACKGROUND}:size={size[0]}x{size[1]}:rate=1:duration=1"
    command = [str(ffmpeg()), "-nostdin", "-v", "error", "-f", "lavfi", "-i", colour, "-frames:v", "1"]
    command += ["-vf", "format=rgb24,ass=cues.ass:fontsdir=fonts", "-c:v", "png", "-f", "image2pipe", "-"]
    drawn = subprocess.run(command, cwd=room, check=True, stdout=subprocess.PIPE).stdout
    return Image.open(BytesIO(drawn)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean absolute difference of luminance, 0 to 255, where it is largest: in any PATCH × PATCH points.

    Both are blurred by a point first, so that another rounding of edges does not count. The mean of the whole picture
    would not see a bracket that changed sides. Pictures of different sizes differ by 255.
    """
    if one.size != other.size:
        return 255.0
    blurred = (picture.convert("L").filter(ImageFilter.GaussianBlur(1)) for picture in (one, other))
    first, second = (np.asarray(picture, dtype=np.float64) for picture in blurred)
    sums = np.abs(first - second).cumsum(axis=0).cumsum(axis=1)
    sums = np.pad(sums, ((1, 0), (1, 0)))
    patches = sums[PATCH:, PATCH:] - sums[:-PATCH, PATCH:] - sums[PATCH:, :-PATCH] + sums[:-PATCH, :-PATCH]
    return float(patches.max()) / PATCH**2


def approved(name: str) -> Image.Image:
    return Image.open(APPROVED / f"{name}.png").convert("RGB")
