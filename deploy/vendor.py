"""Copy vendored files out of their npm packages, as static/vendor/vendor.lock.json names them.

    python deploy/vendor.py            copy; a file that is not what the lock says is an error
    python deploy/vendor.py --record   copy, and write the hashes of what came into the lock

To add or renew a package, edit its version and paths in the lock, run with --record, look at what changed and commit
both. Needs `npm`; nothing else of the project does.
"""

from __future__ import annotations

import hashlib
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
        sys.stderr.write(f"{path} is not the file that the lock names; nothing was written over it.\n")
    return 1 if wrong else 0


def copy(package: dict[str, Any], *, record: bool) -> list[str]:
    """Bring the files of one package; the paths of those whose hash is not the lock's."""
    wrong = []
    with tempfile.TemporaryDirectory() as room, tarfile.open(pack(package, Path(room))) as archive:
        for file in package["files"]:
            data = sprite(archive, file["icons"]) if "icons" in file else read(archive, file["from"])
            found = hashlib.sha256(data).hexdigest()
            if record:
                file["sha256"] = found
            if found == file["sha256"]:
                (VENDOR / file["path"]).parent.mkdir(parents=True, exist_ok=True)
                (VENDOR / file["path"]).write_bytes(data)
            else:
                wrong.append(file["path"])
    return wrong


def read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(f"package/{path}")
    if member is None:
        raise SystemExit(f"The package has no file {path}")
    return member.read()


def sprite(archive: tarfile.TarFile, icons: list[str]) -> bytes:
    """One file of several icons, each to be shown by `<use href="…#name">`."""
    symbols = []
    for name in icons:
        icon = read(archive, f"icons/{name}.svg").decode()
        inside = icon[icon.index(">", icon.index("<svg")) + 1 : icon.rindex("</svg>")]
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(inside.split())}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n").encode()


def pack(package: dict[str, Any], room: Path) -> Path:
    """The package's archive, fetched by npm into `room`."""
    wanted = f"{package['name']}@{package['version']}"
    command = ["npm", "pack", "--silent", "--ignore-scripts", wanted]
    subprocess.run(command, cwd=room, check=True, stdout=subprocess.DEVNULL)
    return next(room.glob("*.tgz"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
