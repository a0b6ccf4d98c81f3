"""fontTools' SVG path reader drawing on ReportLab's paths."""

from __future__ import annotations

from typing import Any


def make_pen(path: Any) -> Any:
    """A fontTools pen that draws on ``path``, a ReportLab ``PDFPathObject``."""
    from fontTools.pens.basePen import BasePen

    class Pen(BasePen):  # type: ignore[misc]  # fontTools is untyped
        def _moveTo(self, pt: Any) -> None:  # noqa: N802
            path.moveTo(*pt)

        def _lineTo(self, pt: Any) -> None:  # noqa: N802
            path.lineTo(*pt)

        def _curveToOne(self, pt1: Any, pt2: Any, pt3: Any) -> None:  # noqa: N802
            path.curveTo(*pt1, *pt2, *pt3)

        def _closePath(self) -> None:  # noqa: N802
            path.close()

    return Pen(None)
