"""The ASGI application that daphne serves: pages and WebSockets."""

import os
import sys

from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "translator.settings")

pages = get_asgi_application()

# Models can be imported only after the line above.
from jobs import models  # noqa: E402
from jobs.queueing import processes  # noqa: E402
from jobs.web.backpressure import limit_incoming_messages, with_backpressure  # noqa: E402
from jobs.web.live.consumer import MAX_MESSAGE_BYTES  # noqa: E402
from jobs.web.request_bodies import keep_in_memory  # noqa: E402
from jobs.web.routing import sockets  # noqa: E402

application = ProtocolTypeRouter({"http": with_backpressure(pages), "websocket": sockets})

limit_incoming_messages(MAX_MESSAGE_BYTES)
keep_in_memory(settings.FILE_UPLOAD_MAX_MEMORY_SIZE)

# Request threads release the GIL at each query. A thread that copies an upload or a video would then keep it for 5 ms,
# the default, each time.
sys.setswitchinterval(0.0005)

# Every 0.5 s, see `presence.MAX_WEB_SILENCE`.
processes.start_heartbeat(models.Process.WEB, every=0.5)
