"""Options of the image enhancers."""

from __future__ import annotations

import attrs

from ensemble_core.model import option


@attrs.frozen
class SharpenOptions:
    """For small or soft scans; gives a gray page."""

    min_width: int = option(1800, "Magnify pages narrower than this", minimum=1, unit="px")
    max_scale: float = option(1.5, "Magnify at most by this", minimum=1.0, maximum=8.0)
    contrast: bool = option(True, "Stretch the grays so that ink is black and paper white")
    sigma: float = option(
        1.2, "Radius of the unsharp mask; 0: none", minimum=0.0, maximum=20.0, unit="px"
    )
    amount: float = option(1.0, "Strength of the unsharp mask", minimum=0.0, maximum=10.0)


@attrs.frozen
class EnhanceOptions:
    """For photos; keeps colour."""

    max_side: int = option(2000, "Reduce pages whose long side is above", minimum=16, unit="px")
    brightness: float = option(1.1, "Factor on brightness", minimum=0.1, maximum=10.0)
    saturation: float = option(1.1, "Factor on colour; 0 is gray", minimum=0.0, maximum=10.0)
    sigma: float = option(
        1.2, "Radius of the unsharp mask; 0: none", minimum=0.0, maximum=20.0, unit="px"
    )
    amount: float = option(1.0, "Strength of the unsharp mask", minimum=0.0, maximum=10.0)


@attrs.frozen
class DeskewOptions:
    """For pages that lie askew."""

    max_angle: float = option(
        15.0, "Largest slope looked for", minimum=0.1, maximum=44.0, unit="degrees"
    )
    min_angle: float = option(
        0.05, "Smaller slopes are left alone", minimum=0.0, maximum=10.0, unit="degrees"
    )


@attrs.frozen
class FlattenOptions:
    """For photos and scans of thick books."""

    window: float = option(
        0.04, "Neighbourhood that holds some bare paper, as part of the page's width",
        minimum=0.005, maximum=0.5,
    )  # fmt: skip
    max_gain: float = option(
        4.0, "Brighten nothing by more than this factor", minimum=1.0, maximum=50.0
    )


@attrs.frozen
class BinarizeOptions:
    """For recognizers that want ink and paper only."""

    method: str = option(
        "sauvola", "A threshold for each place, or one for the page", choices=("sauvola", "otsu")
    )
    window: int = option(
        0, "Side of Sauvola's neighbourhood; 0: a fortieth of the width", minimum=0, unit="px"
    )
    k: float = option(
        0.2, "Sauvola's k: higher gives thinner ink", minimum=0.01, maximum=1.0
    )  # fmt: skip


@attrs.frozen
class CropOptions:
    """For photos that show more than the page."""

    margin: float = option(
        0.0, "Keep this much around the paper, as part of its width", minimum=0.0, maximum=0.5
    )
    level: bool = option(True, "Turn the page so that the paper's edges are upright")
    clean: bool = option(True, "Paint over what is not paper")
