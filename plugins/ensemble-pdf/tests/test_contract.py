"""The PDF loader held to the contract."""

from __future__ import annotations

from ensemble_core.testing import LoaderContract


class TestPdf(LoaderContract):
    name = "pdf"
