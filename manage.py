#!/usr/bin/env python3
"""The command line of Zirnevis: `python manage.py help` lists its commands."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 # an older one can still read this far
    sys.exit(
        f"Zirnevis needs Python 3.11 or newer; this is {sys.version.split()[0]}. "
        "On Debian or Ubuntu: apt install python3.11 python3.11-venv"
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "translator.settings")
    try:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:  # while it starts: commands that have something to tidy up see to it themselves
        sys.exit(130)


if __name__ == "__main__":
    main()
