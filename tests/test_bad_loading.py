"""Every bad file through sniffing and the loader of its kind: a typed error, or it is read."""

from __future__ import annotations

import importlib
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from bad.make_bad import BAD, BadFile

from ensemble_core.builtin.plugin import ensemble_loaders
from ensemble_core.imaging import gray, open_image
from ensemble_core.model import (
    Context,
    EnsembleError,
    ExitCode,
    LoaderSpec,
    ScoreLoader,
    UnsupportedInput,
)
from ensemble_core.pipeline.inputs import open_document

SAYABLE = [pytest.param(bad, id=ascii(bad.name)[1:-1]) for bad in BAD]


@lru_cache
def loaders() -> dict[str, LoaderSpec]:
    specs = list(ensemble_loaders())
    try:
        specs += importlib.import_module("ensemble_pdf.plugin").ensemble_loaders()
    except ModuleNotFoundError:
        pytest.skip("needs ensemble-pdf")
    return {media_type: spec for spec in specs for media_type in spec.accepts}


def made(target: Any) -> Any:
    module, _, name = str(target).partition(":")
    return getattr(importlib.import_module(module), name)


def read(path: Path, ctx: Context) -> None:
    """What a run does before recognition, in this process."""
    document = open_document(path, path.name, ctx.limits)
    if document.media_type not in loaders():
        raise UnsupportedInput(f"{document.name}: no loader reads {document.media_type}")
    spec = loaders()[document.media_type]
    loader = made(spec.target)(*[made(spec.options)()] if spec.options else [])
    if isinstance(loader, ScoreLoader):
        loader.read(document, ctx)
        return
    infos = loader.inspect(document, ctx)
    ctx.limits.check_pages(len(infos), document.name)
    for info in infos:
        page = loader.load(document, info.index, ctx)
        shown = gray(open_image(page, ctx))
        assert (info.width, info.height) == (page.width, page.height) == shown.size


@pytest.mark.parametrize("bad", SAYABLE)
def test_bad_file(bad: BadFile, tmp_path: Path) -> None:
    if bad.impossible:
        pytest.skip(bad.impossible)
    workspace = tmp_path / "work"
    workspace.mkdir()
    path = tmp_path / bad.name
    bad.make(path)
    threads = threading.active_count()
    try:
        read(path, Context(workspace))
        code, line = ExitCode.OK, ""
    except EnsembleError as error:
        code, line = error.exit_code, str(error)
    assert code in bad.expected_exit or (code == 2 and 3 in bad.expected_exit), line
    assert bad.phrase.lower() in line.lower()
    assert line.isprintable()
    assert threading.active_count() == threads
    if line:
        assert not list(workspace.iterdir())


def test_there_are_enough() -> None:
    assert len(BAD) >= 40
    assert len({bad.name for bad in BAD}) == len(BAD)
    assert all(bad.phrase for bad in BAD if 0 not in bad.expected_exit)
