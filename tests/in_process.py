"""Plugins that live in the test's own process, with switches and a memory of their calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from importlib import import_module
from typing import Any

import attrs
from made_up import BARS

from ensemble_core import hookimpl
from ensemble_core.model import (
    Artifact,
    Box,
    Context,
    Diagnostic,
    Document,
    Element,
    ExecutorSpec,
    ExporterSpec,
    LoaderSpec,
    Page,
    PageInfo,
    Plan,
    PreprocessorSpec,
    RecognizerSpec,
    Score,
    Task,
    option,
)


@attrs.frozen
class Sizes:
    pages: int = option(1, "Pages a document has")


class Toy:
    """A plugin with one component of each kind; ``on`` replaces what a step does."""

    def __init__(self, name: str = "toy", **on: Callable[..., Any]) -> None:
        self.name, self.on = name, on
        self.calls: list[str] = []
        self.events: list[Any] = []
        self.lock = threading.Lock()

    def did(self, what: str) -> None:
        with self.lock:
            self.calls.append(what)

    @hookimpl
    def ensemble_loaders(self) -> list[LoaderSpec]:
        toy = self

        class Loader:
            def __init__(self, options: Sizes) -> None:
                self.pages = options.pages

            def inspect(self, document: Document, ctx: Context) -> tuple[PageInfo, ...]:
                if "inspect" in toy.on:
                    return toy.on["inspect"](document, ctx)
                return tuple(PageInfo(i, 20, 10) for i in range(self.pages))

            def load(self, document: Document, index: int, ctx: Context) -> Page:
                toy.did(f"load {index}")
                if "load" in toy.on:
                    return toy.on["load"](document, index, ctx)
                path = ctx.workspace / f"{index}.png"
                path.write_bytes(document.path.read_bytes())
                return Page(index, path, 20, 10)

        return [
            LoaderSpec(
                name=f"{self.name}-loader", target=Loader, options=Sizes, accepts=("image/png",),
                priority=1000,
            )
        ]  # fmt: skip

    @hookimpl
    def ensemble_preprocessors(self) -> list[PreprocessorSpec]:
        toy = self

        class Enhancer:
            def process(self, page: Page, ctx: Context) -> Page:
                toy.did(f"process {page.index}")
                return toy.on["process"](page, ctx) if "process" in toy.on else page

        return [PreprocessorSpec(name=f"{self.name}-enhancer", target=Enhancer)]

    @hookimpl
    def ensemble_recognizers(self) -> list[RecognizerSpec]:
        toy = self

        class Reader:
            def recognize(self, page: Page, ctx: Context) -> Score:
                toy.did(f"recognize {page.index}")
                if "recognize" in toy.on:
                    return toy.on["recognize"](page, ctx)
                ctx.progress(1, 2, "bars")
                ctx.report(Diagnostic("info", "toy-note", "a note"))
                return Score(BARS, elements=(Element("n1", "note", 0, Box(1, 1, 3, 3), 0.5),))

        return [RecognizerSpec(name=f"{self.name}-reader", target=Reader, priority=-1)]

    @hookimpl
    def ensemble_exporters(self) -> list[ExporterSpec]:
        toy = self

        class Exporter:
            def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
                if "export" in toy.on:
                    return toy.on["export"](score, ctx)
                path = ctx.workspace / "toy"
                path.write_bytes(toy.name.encode() + score.musicxml)
                return (Artifact(path, "text/plain", ".toy"),)

        return [
            ExporterSpec(
                name=f"{self.name}-exporter",
                target=Exporter,
                media_type="text/plain",
                suffix=".toy",
            )
        ]

    @hookimpl
    def ensemble_executors(self) -> list[ExecutorSpec]:
        toy = self

        class HereAndNow:
            def open(self, jobs: int, on_message: Callable[..., None]) -> None:
                toy.did(f"open {jobs}")

            def submit(self, task: Task) -> Future[Any]:
                toy.did(f"task {task.function}")
                module, _, name = task.function.partition(":")
                ctx = Context(task.workspace, task.limits, task.threads, page=task.page)
                future: Future[Any] = Future()
                future.set_result(getattr(import_module(module), name)(task.payload, ctx))
                return future

            def cancel(self) -> None: ...

            def close(self) -> None:
                toy.did("close")

        return [ExecutorSpec(name=f"{self.name}-executor", target=HereAndNow, blocking=True)]

    @hookimpl
    def ensemble_check(self, plan: Plan) -> list[Diagnostic]:
        return self.on["check"](plan) if "check" in self.on else []

    @hookimpl
    def ensemble_event(self, event: Any) -> None:
        self.events.append(event)
        if "event" in self.on:
            self.on["event"](event)
