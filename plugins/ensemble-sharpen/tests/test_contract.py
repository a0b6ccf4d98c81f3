"""The image enhancers held to the contract."""

from __future__ import annotations

from ensemble_core.testing import PreprocessorContract


class TestSharpen(PreprocessorContract):
    name = "sharpen"


class TestEnhance(PreprocessorContract):
    name = "enhance"


class TestDeskew(PreprocessorContract):
    name = "deskew"


class TestFlatten(PreprocessorContract):
    name = "flatten"


class TestBinarize(PreprocessorContract):
    name = "binarize"


class TestCrop(PreprocessorContract):
    name = "crop"
