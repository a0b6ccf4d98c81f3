"""Figures for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import func, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .records.tables import Job, Notice

if TYPE_CHECKING:
    from .service import Service

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_LONG = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)


class Metrics:
    """The figures of one service.

    Args:
        service: Whose queue is counted when somebody asks.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "ensemble_requests", "Requests", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "ensemble_request_seconds", "Seconds until a request was answered", ["route"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.ended = Counter(
            "ensemble_jobs_ended", "Jobs ended by this process", ["state"], registry=self.registry
        )
        self.job_seconds = Histogram(
            "ensemble_job_seconds", "Seconds a job was worked on", buckets=_LONG,
            registry=self.registry,
        )  # fmt: skip
        self.registry.register(_Queue(service))

    def text(self) -> tuple[bytes, str]:
        """All figures as Prometheus reads them, and the media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def job_ended(self, session: Any, job: Any) -> None:
        """Count the end of a job (see ``Ending.hooks``)."""
        self.ended.labels(job.state).inc()
        if job.started and job.finished:
            self.job_seconds.observe((job.finished - job.started).total_seconds())


class _Queue:
    """Counted when asked: all nodes see the same."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> Iterable[Metric]:
        """Nothing is counted just to learn the names."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Jobs and notices by state."""
        jobs = GaugeMetricFamily("ensemble_jobs", "Jobs by state", labels=["state"])
        notices = GaugeMetricFamily("ensemble_notices", "Notices by state", labels=["state"])
        with self._service.database.read() as session:
            for state, count in session.execute(
                select(Job.state, func.count()).group_by(Job.state)
            ):
                jobs.add_metric([state], count)
            for state, count in session.execute(
                select(Notice.state, func.count()).group_by(Notice.state)
            ):
                notices.add_metric([state], count)
        return [jobs, notices]


class Measuring:
    """Counts and times requests by route, never by path: ids would make countless series."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        # To find a label's figures takes longer than to count, and there are few labels.
        self._seconds = lru_cache(maxsize=None)(metrics.request_seconds.labels)
        self._requests = lru_cache(maxsize=None)(metrics.requests.labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                route = self._route(scope)
                self._seconds(route).observe(time.perf_counter() - began)
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            self._requests(_method(scope), self._route(scope), str(status)).inc()

    @staticmethod
    def _route(scope: Scope) -> str:
        return getattr(scope.get("route"), "path", "") or "none"


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in _METHODS else "other"
