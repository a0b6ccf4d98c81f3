"""Ensemble's own recognizer held to the contract."""

from __future__ import annotations

from ensemble_core.testing import RecognizerContract


class TestSightread(RecognizerContract):
    name = "sightread"
