"""The settings of the tests: those of the project, without this machine's `.env` and keys."""

import os
import re
from pathlib import Path

SOURCE = (Path(__file__).parents[1] / "translator" / "settings.py").read_text(encoding="utf-8")
READ = re.findall(r'(?:_flag|_number|_list|_secret|_env\.get|environ\.get)\(\s*"([A-Z_]+)"', SOURCE)
OF_ENGINES = ("GEMINI_", "OPENAI_", "WHISPERX_", "APERTIUM_", "POCKETSPHINX_")
for name in [name for name in os.environ if name in READ or name.startswith(OF_ENGINES)]:
    del os.environ[name]
os.environ["ENV_FILE"] = ""
os.environ["SECRET_KEY"] = "only-for-tests"

# Processes that a test starts work on its database and in its directory.
for name in ("DATABASE_URL", "MEDIA_ROOT"):
    if name_for_tests := os.environ.get(f"TEST_{name}"):
        os.environ[name] = name_for_tests

from translator.settings import *  # noqa: E402, F403
from translator.settings import STORAGES  # noqa: E402

# Static files are not collected for tests.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"

PASSWORD_HASHERS = ["tests.hashers.QuickHasher"]
