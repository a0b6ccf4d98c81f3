"""The oemer recognizer held to the contract, with stand-in nets."""

from __future__ import annotations

import unittest
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from oemer_running import model_files, page_of

from ensemble_core.model import Page
from ensemble_core.testing import RecognizerContract

pytestmark = pytest.mark.long


@pytest.mark.slow
class TestOemer(RecognizerContract):
    name = "oemer"
    options: ClassVar[dict[str, Any]] = {"deskew": "off"}  # seconds less for each call
    cooperative = False  # oemer's rules are its own; some stages take seconds

    @pytest.fixture(autouse=True)
    def stand_ins(self, nets: Mapping[str, Path], printed_tune: Path) -> None:
        self.nets, self.picture = nets["print"], printed_tune

    def models(self) -> Mapping[str, Path]:
        return model_files(self.nets)

    def given(self, folder: Path) -> Page:
        return page_of(self.picture)

    def odd(self, folder: Path) -> Iterator[tuple[str, Page]]:
        raise unittest.SkipTest("each takes ten seconds; test_hostile has oemer's own")
