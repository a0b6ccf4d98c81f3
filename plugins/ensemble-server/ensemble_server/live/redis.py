"""The bus between nodes: Redis publish and subscribe.

A lost connection loses messages and nothing else (see :mod:`.bus`); it is made again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
import structlog

from .bus import Listener, LocalBus, Message

log = structlog.get_logger(__name__)

PREFIX = "ensemble:"
_AGAIN = 1.0


class RedisBus:
    """Carries messages between all processes that name the same Redis.

    Args:
        url: ``redis://host:port/number``.
    """

    shared = True

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url, socket_timeout=2.0, socket_connect_timeout=2.0, health_check_interval=15
        )
        self._hearing = redis.Redis.from_url(url, socket_connect_timeout=2.0)
        self._local = LocalBus()
        self._closed = threading.Event()
        self._quiet_until = 0.0
        self._thread = threading.Thread(target=self._hear, name="ensemble-bus", daemon=True)
        self._thread.start()

    def publish(self, channel: str, message: Message) -> None:
        """Say it to everybody; while Redis is away, to this process."""
        if time.monotonic() < self._quiet_until:
            self._local.publish(channel, message)
            return
        try:
            self._client.publish(PREFIX + channel, json.dumps(message))
        except (redis.RedisError, OSError) as error:
            # Not every message may wait for a Redis that is away.
            self._quiet_until = time.monotonic() + _AGAIN
            log.warning("bus.away", error=str(error))
            self._local.publish(channel, message)

    def listen(self, channel: str, listener: Listener) -> Callable[[], None]:
        """Hear a channel."""
        return self._local.listen(channel, listener)

    def close(self) -> None:
        """Close the connections and end the thread."""
        self._closed.set()
        self._thread.join(5.0)
        self._hearing.close()
        self._client.close()

    def ping(self) -> None:
        """See whether Redis is there.

        Raises:
            redis.RedisError: It is not.
        """
        self._client.ping()

    def _hear(self) -> None:
        while not self._closed.is_set():
            try:
                pubsub: Any = self._hearing.pubsub
                with pubsub(ignore_subscribe_messages=True) as subscription:
                    subscription.psubscribe(f"{PREFIX}*")
                    while not self._closed.is_set():
                        self._hand_on(subscription.get_message(timeout=0.5))
            except (redis.RedisError, OSError, ValueError):
                self._closed.wait(_AGAIN)

    def _hand_on(self, message: dict[str, bytes] | None) -> None:
        if message is None or message.get("type") not in {"pmessage", b"pmessage"}:
            return
        channel = message["channel"].decode().removeprefix(PREFIX)
        self._local.publish(channel, json.loads(message["data"]))
