"""Note F1 lives in ``ensemble_evaluate.notes``; this is its old address."""

from ensemble_evaluate.notes import agreement, align, compare, staves

__all__ = ["agreement", "align", "compare", "staves"]
