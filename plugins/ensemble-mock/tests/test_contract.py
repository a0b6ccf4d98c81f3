"""The made-up recognizer held to the contract."""

from __future__ import annotations

from ensemble_core.testing import RecognizerContract


class TestMock(RecognizerContract):
    name = "mock"
    reads_input = False
