"""The conformance kit for plugin authors: one contract class per kind.

A test file of three lines holds a component to everything its kind promises::

    from ensemble_core.testing import RecognizerContract


    class TestMyReader(RecognizerContract):
        name = "my-reader"

pytest finds the ``test_…`` methods the class inherits; ``ensemble plugins check NAME``
runs the same without a test file. Class attributes say what is special about a plugin
(``options``, ``seconds``, ``cooperative``, ``reads_input`` …), methods give it samples of
its own (``given``, ``broken``, ``odd``, ``sample``).
"""

from __future__ import annotations

from .checking import CheckResult, check_plugin
from .contract import Contract
from .executing import ExecutorContract
from .exporting import ExporterContract, check_media_type, check_midi
from .loading import LoaderContract, ScoreLoaderContract, sample_file
from .paged import PreprocessorContract, RecognizerContract
from .pages import (
    broken_pages,
    document_of,
    drawn_page,
    engraved_page,
    huge_png,
    odd_pages,
    page_of,
)
from .scores import PIANO, SamplePart, sample_score
from .working import WorkingContract

__all__ = [
    "PIANO",
    "CheckResult",
    "Contract",
    "ExecutorContract",
    "ExporterContract",
    "LoaderContract",
    "PreprocessorContract",
    "RecognizerContract",
    "SamplePart",
    "ScoreLoaderContract",
    "WorkingContract",
    "broken_pages",
    "check_media_type",
    "check_midi",
    "check_plugin",
    "document_of",
    "drawn_page",
    "engraved_page",
    "huge_png",
    "odd_pages",
    "page_of",
    "sample_file",
    "sample_score",
]
