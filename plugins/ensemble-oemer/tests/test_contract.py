"""The oemer recognizer held to the contract; what runs the nets needs their model files."""

from __future__ import annotations

import unittest
from typing import Any

from ensemble_oemer.checkpoints import checkpoint_folder, problems

from ensemble_core.model import PlannedComponent
from ensemble_core.testing import RecognizerContract


class TestOemer(RecognizerContract):
    name = "oemer"

    def make(self) -> Any:
        self._need_models()
        return super().make()

    def planned(self) -> PlannedComponent:
        self._need_models()
        return super().planned()

    def _need_models(self) -> None:
        lacking = problems(checkpoint_folder())
        if lacking:
            raise unittest.SkipTest(lacking[0])
