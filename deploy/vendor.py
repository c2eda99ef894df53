"""Copy vendored files from their npm packages, as static/vendor/vendor.lock.json names them.

    python deploy/vendor.py            copy; a file whose hash differs from the lock is an error
    python deploy/vendor.py --record   copy, and write the hashes of the files into the lock

To add or update a package, edit its version and paths in the lock, run with --record, check the changes and commit
both. Needs `npm`, and fontTools for fonts that a package has as WOFF only.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parents[1] / "static" / "vendor"
LOCK = VENDOR / "vendor.lock.json"


def main(arguments: list[str]) -> int:
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    record = arguments == ["--record"]
    wrong = [path for package in lock["packages"] for path in copy(package, record=record)]
    if record:
        LOCK.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for path in wrong:
        sys.stderr.write(f"{path} differs from the file that the lock names. It was not replaced.\n")
    return 1 if wrong else 0


def copy(package: dict[str, Any], *, record: bool) -> list[str]:
    """Copy the files of one package. Returns the paths of those whose hash differs from the lock."""
    wrong = []
    with tempfile.TemporaryDirectory() as directory, tarfile.open(pack(package, Path(directory))) as archive:
        for file in package["files"]:
            data = content(archive, file)
            found = hashlib.sha256(data).hexdigest()
            if record:
                file["sha256"] = found
            if found == file["sha256"]:
                (VENDOR / file["path"]).parent.mkdir(parents=True, exist_ok=True)
                (VENDOR / file["path"]).write_bytes(data)
            else:
                wrong.append(file["path"])
    return wrong


def content(archive: tarfile.TarFile, file: dict[str, Any]) -> bytes:
    """The content of a vendored file: that of a file `from` the package, or one made of its `icons` or `woff`."""
    if "icons" in file:
        return sprite(archive, file["icons"])
    return unpacked(read(archive, file["woff"])) if "woff" in file else read(archive, file["from"])


def unpacked(woff: bytes) -> bytes:
    """A font without the compression of WOFF, which libass does not read; its tables stay as they are."""
    from fontTools.ttLib import TTFont

    with TTFont(io.BytesIO(woff), recalcBBoxes=False, recalcTimestamp=False) as font, io.BytesIO() as plain:
        font.flavor = None
        font.save(plain)
        return plain.getvalue()


def read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(f"package/{path}")
    if member is None:
        raise SystemExit(f"The package has no file {path}")
    return member.read()


def sprite(archive: tarfile.TarFile, icons: list[str]) -> bytes:
    """Join several icons into one SVG file; `<use href="…#name">` shows one of them."""
    symbols = []
    for name in icons:
        icon = read(archive, f"icons/{name}.svg").decode()
        inside = icon[icon.index(">", icon.index("<svg")) + 1 : icon.rindex("</svg>")]
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(inside.split())}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n").encode()


def pack(package: dict[str, Any], directory: Path) -> Path:
    """Download the package's archive with npm into `directory`."""
    wanted = f"{package['name']}@{package['version']}"
    command = ["npm", "pack", "--silent", "--ignore-scripts", wanted]
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    return next(directory.glob("*.tgz"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
