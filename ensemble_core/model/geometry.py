"""Boxes and affine maps, in pixels; x grows to the right, y downwards."""

from __future__ import annotations

import attrs


@attrs.frozen
class Box:
    """An upright rectangle in pixels; ``right`` and ``bottom`` are exclusive."""

    left: float
    top: float
    right: float
    bottom: float


@attrs.frozen
class Affine:
    """Maps (x, y) to (a·x + b·y + c, d·x + e·y + f).

    A :class:`~ensemble_core.model.Page` carries the map from its own pixels to the
    pixels of the source page, so what is found on a straightened and cropped page can
    be drawn on the picture the user gave.
    """

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 1.0
    f: float = 0.0

    @staticmethod
    def scale(x: float, y: float | None = None) -> Affine:
        """The map that multiplies by ``x`` (and ``y``, by default the same)."""
        return Affine(a=x, e=x if y is None else y)

    @staticmethod
    def shift(x: float, y: float) -> Affine:
        """The map that adds ``(x, y)``."""
        return Affine(c=x, f=y)

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        """The image of one point."""
        return self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f

    def after(self, first: Affine) -> Affine:
        """The map that does ``first``, then this one."""
        return Affine(
            self.a * first.a + self.b * first.d,
            self.a * first.b + self.b * first.e,
            self.a * first.c + self.b * first.f + self.c,
            self.d * first.a + self.e * first.d,
            self.d * first.b + self.e * first.e,
            self.d * first.c + self.e * first.f + self.f,
        )

    def inverse(self) -> Affine:
        """The map back.

        Raises:
            ValueError: The map is singular.
        """
        det = self.a * self.e - self.b * self.d
        if abs(det) < 1e-12:
            raise ValueError("the affine map has no inverse")
        a, b, d, e = self.e / det, -self.b / det, -self.d / det, self.a / det
        return Affine(a, b, -(a * self.c + b * self.f), d, e, -(d * self.c + e * self.f))

    def box(self, box: Box) -> Box:
        """The upright box around the image of ``box``."""
        corners = [self(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
        xs, ys = zip(*corners, strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))
