"""Traces for OpenTelemetry, if they are asked for: a span a job, and FastAPI's own of requests."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ensemble_core.model import MissingError

_tracer: Any = None


def set_up(endpoint: str) -> None:
    """Send traces to an OTLP endpoint (HTTP), in the background.

    Raises:
        MissingError: The libraries for it are not installed.
    """
    global _tracer  # noqa: PLW0603 - OpenTelemetry has one provider a process
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingError(
            f"traces need a library that is not there: {error}",
            hint="pip install 'ensemble-server[traces]'",
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "ensemble"}))
    url = endpoint if endpoint.endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    trace.set_tracer_provider(provider)
    _tracer = trace.get_tracer("ensemble_server")


def span(name: str, **attributes: Any) -> AbstractContextManager[Any]:
    """A span around some work; nothing if traces are off."""
    if _tracer is None:
        return nullcontext()
    named = {f"ensemble.{key}": value for key, value in attributes.items()}
    made: AbstractContextManager[Any] = _tracer.start_as_current_span(name, attributes=named)
    return made
