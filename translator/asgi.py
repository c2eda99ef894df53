"""What daphne serves."""

import os
import sys

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "translator.settings")

pages = get_asgi_application()

# Imported here: models can be imported only after the line above.
from jobs import models  # noqa: E402
from jobs.queueing import processes  # noqa: E402
from jobs.web.backpressure import limit_incoming_messages, with_backpressure  # noqa: E402
from jobs.web.live.consumer import MAX_MESSAGE_BYTES  # noqa: E402
from jobs.web.routing import sockets  # noqa: E402

application = ProtocolTypeRouter({"http": with_backpressure(pages), "websocket": sockets})

limit_incoming_messages(MAX_MESSAGE_BYTES)

# Threads that answer requests give the interpreter away with each query, and the busy one that moves an upload or a
# video keeps it for 5 ms, unless it is told otherwise: they would wait that long again and again.
sys.setswitchinterval(0.0005)

# Twice a second: see `presence.WITNESS`.
processes.show_life(models.Process.WEB, every=0.5)
