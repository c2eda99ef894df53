"""The settings of the tests: those of the project, without this machine's `.env` and keys."""

import os

os.environ["ENV_FILE"] = ""
os.environ["SECRET_KEY"] = "only-for-tests"
OURS = (
    "GEMINI_",
    "OPENAI_",
    "WHISPERX_",
    "APERTIUM_",
    "LINK_",
    "DATABASE_",
    "MAX_",
    "MEDIA_",
    "TRANS",
    "DEBUG",
    "HTTPS",
)
for name in [name for name in os.environ if name.startswith(OURS)]:
    del os.environ[name]

from translator.settings import *  # noqa: E402, F403
