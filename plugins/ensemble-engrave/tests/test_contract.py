"""The engraving exporters held to the contract."""

from __future__ import annotations

from ensemble_core.testing import ExporterContract


class TestSvg(ExporterContract):
    name = "svg"


class TestPdf(ExporterContract):
    name = "pdf"


class TestPng(ExporterContract):
    name = "png"


class TestMei(ExporterContract):
    name = "mei"


class TestHtml(ExporterContract):
    name = "html"
