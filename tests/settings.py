"""The settings of the tests: those of the project, without this machine's `.env` and keys."""

import os

os.environ["ENV_FILE"] = ""
os.environ["SECRET_KEY"] = "only-for-tests"
for name in [name for name in os.environ if name.startswith(("GEMINI_", "OPENAI_", "WHISPERX_", "LINK_", "DATABASE_"))]:
    del os.environ[name]

from translator.settings import *  # noqa: E402, F403
