"""The hooks of the components the core ships; registered through entry points like anyone's."""

from __future__ import annotations

from ensemble_core.hooks import hookimpl
from ensemble_core.model import ExecutorSpec, ExporterSpec, LoaderSpec
from ensemble_core.sniff import IMAGES


@hookimpl
def ensemble_executors() -> list[ExecutorSpec]:
    """The executors: here and now, or in worker processes."""
    return [
        ExecutorSpec(
            name="serial",
            target="ensemble_core.builtin.executors:SerialExecutor",
            summary="One task at a time in the calling thread; nothing can be killed",
            isolation="inline",
            blocking=True,
        ),
        ExecutorSpec(
            name="processes",
            target="ensemble_core.builtin.executors:ProcessExecutor",
            options="ensemble_core.builtin.executors:ProcessOptions",
            summary="Worker processes with deadlines and memory limits that are enforced",
            isolation="inline",
            priority=10,
        ),
    ]


@hookimpl
def ensemble_loaders() -> list[LoaderSpec]:
    """The loaders: pictures, and scores that need no reading."""
    return [
        LoaderSpec(
            name="image",
            target="ensemble_core.builtin.images:ImageLoader",
            summary="PNG, JPEG, TIFF (every page), GIF, BMP, WebP and PNM pictures",
            accepts=IMAGES,
        ),
        LoaderSpec(
            name="musicxml",
            target="ensemble_core.builtin.musicxml:MusicXmlLoader",
            summary="Scores in MusicXML, plain or compressed; goes straight to the exporters",
            accepts=(
                "application/vnd.recordare.musicxml+xml",
                "application/vnd.recordare.musicxml",
            ),
            gives="score",
        ),
    ]


@hookimpl
def ensemble_exporters() -> list[ExporterSpec]:
    """The exporters: the score itself."""
    return [
        ExporterSpec(
            name="musicxml",
            target="ensemble_core.builtin.musicxml:MusicXmlExporter",
            options="ensemble_core.builtin.musicxml:MusicXmlOptions",
            summary="MusicXML 4.0, plain or compressed",
            media_type="application/vnd.recordare.musicxml+xml",
            suffix=".musicxml",
            isolation="inline",
        ),
    ]
