"""What daphne serves."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "translator.settings")

application = ProtocolTypeRouter({"http": get_asgi_application()})

# Imported here: models can be imported only after the line above. Twice a second: see `presence.WITNESS`.
from jobs import models, workers  # noqa: E402

workers.show_life(models.Worker.WEB, every=0.5)
