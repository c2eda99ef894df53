"""Redraw the approved pictures: `python -m tests.pipeline.approve_frames [NAME ...]` (or `make frames`).

Do it when a picture is meant to change. Then open each picture that git shows as changed, and read it letter by letter
in the direction of its language, against its text in `frames.SCENES`: committing it is the approval. Pictures that
still pass are left alone; those of scenes that are gone are removed.
"""

from __future__ import annotations

import sys

from tests.pipeline.frames import APPROVED, SCENES, TOLERANCE, approved, difference, draw


def main(names: list[str]) -> None:
    APPROVED.mkdir(parents=True, exist_ok=True)
    for name in names or SCENES:
        path = APPROVED / f"{name}.png"
        picture = draw(SCENES[name])
        if not path.exists() or difference(picture, approved(name)) > TOLERANCE:
            picture.save(path, optimize=True)
            sys.stdout.write(f"look at {path}\n")
    for path in APPROVED.glob("*.png"):
        if path.stem not in SCENES:
            path.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
