"""The channel layer: it need not look through all channels for each word."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer, get_channel_layer

from jobs.web.live import channel_layer


def test_it_is_tidied_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    usual = InMemoryChannelLayer._clean_expired

    def look(self: Any) -> None:
        looks.append(1)
        usual(self)

    monkeypatch.setattr(InMemoryChannelLayer, "_clean_expired", look)

    async def talk(count: int) -> list[str]:
        found = channel_layer.PageChannelLayer(expiry=60)
        for number in range(count):
            await found.send("page", {"text": str(number)})
        return [(await found.receive("page"))["text"] for _ in range(count)]

    assert asyncio.run(talk(50)) == [str(number) for number in range(50)]
    assert len(looks) == 1


def test_what_nobody_took_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_layer, "CLEANUP_INTERVAL", 0.0)

    async def talk() -> bool:
        found = channel_layer.PageChannelLayer(expiry=-1)
        await found.send("left", {"text": "old"})
        receiving = asyncio.create_task(found.receive("other"))
        await asyncio.sleep(0)
        receiving.cancel()
        return "left" in found.channels

    assert not asyncio.run(talk())


def test_ours_is_in_use() -> None:
    assert isinstance(get_channel_layer(), channel_layer.PageChannelLayer)
