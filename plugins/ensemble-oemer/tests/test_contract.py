"""The oemer recognizer held to the contract, with stand-in nets."""

from __future__ import annotations

import unittest
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from oemer_running import model_files, page_of

from ensemble_core.model import Context, Page, PlannedComponent, PlannedModel
from ensemble_core.testing import RecognizerContract


@pytest.mark.slow
class TestOemer(RecognizerContract):
    name = "oemer"
    cooperative = False  # oemer's rules are its own; some stages take seconds

    @pytest.fixture(autouse=True)
    def stand_ins(self, nets: Mapping[str, Path], printed_tune: Path) -> None:
        self.nets, self.picture = nets["print"], printed_tune

    def context(self, folder: Path, **changes: Any) -> Context:
        return attrs.evolve(super().context(folder, **changes), models=model_files(self.nets))

    def planned(self) -> PlannedComponent:
        files = {n: PlannedModel(str(path), "") for n, path in model_files(self.nets).items()}
        return attrs.evolve(super().planned(), models=files)

    def given(self, folder: Path) -> Page:
        return page_of(self.picture)

    def odd(self, folder: Path) -> Iterator[tuple[str, Page]]:
        raise unittest.SkipTest("each takes ten seconds; test_hostile has oemer's own")
