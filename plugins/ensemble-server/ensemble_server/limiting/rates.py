"""How often a user may ask: over one minute that moves along, exact also on several nodes."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from typing import TYPE_CHECKING, Annotated

import attrs
import structlog
from fastapi import Depends
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from ..api.errors import Problem
from ..auth.principal import Principal, Writer, visitor, writer

if TYPE_CHECKING:
    from ..settings import Settings

log = structlog.get_logger(__name__)

SCOPE_KEY = "ensemble.rates"
"""Where a request's standings are kept for :mod:`.headers`."""

WINDOW = 60
"""Seconds."""

_AWAY = 5.0
"""Seconds Redis is left alone after it failed."""

_PATIENCE = 0.5
"""Seconds Redis may take."""


@attrs.frozen
class Standing:
    """Where a user stands with a limit.

    Attributes:
        policy: The limit's name.
        quota: How many a minute.
        left: How many are left.
        reset: Seconds until one more is allowed than now.
    """

    policy: str
    quota: int
    left: int
    reset: int


class Limiter:
    """The rates of the service.

    Args:
        settings: What is allowed, and where Redis is. If Redis is away, each node counts for
            itself until it is back: rather too much let through than nothing.
    """

    def __init__(self, settings: Settings) -> None:
        self._rates = {
            "requests": settings.limits.requests_per_minute,
            "jobs": settings.limits.jobs_per_minute,
        }
        self._memory = MovingWindowRateLimiter(MemoryStorage())
        self._lock = threading.Lock()
        self._redis = _redis(settings.redis) if settings.redis else None
        self._away_until = 0.0

    @property
    def waits(self) -> bool:
        """Whether counting takes a while, so that it belongs into a thread."""
        return self._redis is not None

    def count_request(self, connection: HTTPConnection, user_id: str | None) -> None:
        """Count a request: of a user, or of an address if nobody says who they are.

        Raises:
            Problem: 429 if it is one too many.
        """
        self._count(connection, "requests", user_id or _address(connection))

    def count_job(self, connection: HTTPConnection, user_id: str) -> None:
        """Count a job a user sends.

        Raises:
            Problem: 429 if it is one too many.
        """
        self._count(connection, "jobs", user_id)

    def _count(self, connection: HTTPConnection, policy: str, who: str) -> None:
        quota = self._rates[policy]
        if quota <= 0:
            return
        allowed, standing = self._hit(policy, quota, who)
        connection.scope.setdefault(SCOPE_KEY, []).append(standing)
        if not allowed:
            raise Problem(
                429,
                f"too-many-{policy}",
                f"At most {quota} {policy} a minute; wait {standing.reset} s.",
                headers={"Retry-After": str(standing.reset)},
            )

    def _hit(self, policy: str, quota: int, who: str) -> tuple[bool, Standing]:
        item = RateLimitItemPerMinute(quota)
        if self._redis is not None and time.monotonic() >= self._away_until:
            try:
                found = _ask(self._redis, item, policy, who)
            except StorageError as error:
                log.warning("limits.redis-away", error=str(error.storage_error), counting="node")
                self._away_until = time.monotonic() + _AWAY
            else:
                if self._away_until:
                    log.warning("limits.redis-back")
                    self._away_until = 0.0
                return found
        # The library's own locks are one a key and come and go; one lock makes it exact.
        with self._lock:
            return _ask(self._memory, item, policy, who)


def _ask(
    limiter: MovingWindowRateLimiter, item: RateLimitItemPerMinute, policy: str, who: str
) -> tuple[bool, Standing]:
    allowed = limiter.hit(item, policy, who)
    stats = limiter.get_window_stats(item, policy, who)
    reset = min(max(math.ceil(stats.reset_time - time.time()), 1), WINDOW)
    return allowed, Standing(policy, item.amount, max(stats.remaining, 0), reset)


def _redis(url: str) -> MovingWindowRateLimiter:
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    storage = storage_from_string(
        url,
        wrap_exceptions=True,
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
    )
    return MovingWindowRateLimiter(storage)


def _address(connection: HTTPConnection) -> str:
    """Who is asking, by address: of IPv6 the network, since each host has as many as it likes."""
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"address:{host}"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return f"address:{ipaddress.ip_network((address, 64), strict=False)}"
    return f"address:{getattr(address, 'ipv4_mapped', None) or address}"


async def _counted(connection: HTTPConnection, user: Writer) -> Principal:
    limiter: Limiter = connection.app.state.limiter
    if limiter.waits:
        await run_in_threadpool(limiter.count_job, connection, user.user_id)
    else:
        limiter.count_job(connection, user.user_id)
    return user


JobSender = Annotated[Principal, Depends(_counted)]
"""A user who may send a job now; the job is counted."""


async def job_sender(connection: HTTPConnection) -> Principal:
    """What :data:`JobSender` gives, for a route that asks for it by hand.

    Raises:
        Problem: 401, 403, 429 as everywhere.
    """
    return await _counted(connection, await writer(await visitor(connection)))
