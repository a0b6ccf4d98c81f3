"""One options class gives validation, texts, plain data and a schema."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import attrs
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble_core.config import schema_of, structure_options, unstructure_options
from ensemble_core.config.options import Text, parse_duration, parse_size
from ensemble_core.model import ByteSize, ConfigError, Duration, option


@attrs.frozen
class Options:
    sigma: float = option(1.2, "Width of the blur", minimum=0.1, maximum=10, unit="px")
    max_width: int = option(1800, "Widest", minimum=1)
    mode: Literal["fast", "fine"] = option("fast", "How carefully")
    method: str = option("otsu", "Threshold by", choices=["otsu", "sauvola"])
    keep: bool = option(False, "Keep colours")
    names: tuple[str, ...] = option((), "Names")
    wait: Duration = option(Duration(5.0), "Patience")
    room: ByteSize = option(ByteSize(1000), "Room")
    where: Path | None = option(None, "A folder")


def structure(**values: object) -> Options:
    return structure_options(Options, values, "options.blur")


def test_defaults_survive_the_round_trip() -> None:
    plain = unstructure_options(Options())
    assert plain["max-width"] == 1800
    assert structure_options(Options, plain, "x") == Options()


@given(
    sigma=st.floats(0.1, 10),
    width=st.integers(1, 10**9),
    names=st.lists(st.text(max_size=5), max_size=4),
    wait=st.floats(0, 1e6),
)
def test_any_options_survive_the_round_trip(
    sigma: float, width: int, names: list[str], wait: float
) -> None:
    made = Options(sigma=sigma, max_width=width, names=tuple(names), wait=Duration(wait))
    plain = unstructure_options(made)
    jsonschema.validate(plain, schema_of(Options))
    assert structure_options(Options, plain, "x") == made


@pytest.mark.parametrize(
    ("values", "phrase"),
    [
        ({"sigm": 1}, "did you mean 'sigma'"),
        ({"sigma": "wide"}, "options.blur.sigma: 'wide' is not a number"),
        ({"sigma": 0.0}, "below 0.1"),
        ({"sigma": 11}, "above 10"),
        ({"max-width": 1.5}, "not a whole number"),
        ({"max-width": True}, "not a whole number"),
        ({"mode": "slow"}, "not one of fast, fine"),
        ({"method": "otso"}, "did you mean 'otsu'"),
        ({"keep": 1}, "true or false"),
        ({"names": "a"}, "a list"),
        ({"wait": "soon"}, "duration"),
        ({"wait": -1}, "duration"),
        ({"room": "much"}, "size"),
        ({"where": 3}, "a path"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_place(values: dict[str, object], phrase: str) -> None:
    with pytest.raises(ConfigError) as caught:
        structure_options(Options, values, "options.blur")
    assert phrase in str(caught.value)
    assert "\n" not in str(caught.value)


def test_texts_are_read_by_the_options_type() -> None:
    made = structure(
        sigma=Text("2"), keep=Text("yes"), names=Text("a, b"), method=Text("sauvola"),
        wait=Text("1m30s"), room=Text("2KiB"), where=Text("/x"),
    )  # fmt: skip
    assert made == Options(
        sigma=2.0, keep=True, names=("a", "b"), method="sauvola", wait=Duration(90),
        room=ByteSize(2048), where=Path("/x"),
    )  # fmt: skip


def test_underscores_and_dashes_are_the_same() -> None:
    assert (
        structure(max_width=7).max_width
        == structure_options(Options, {"max-width": 7}, "x").max_width
    )


def test_durations_and_sizes() -> None:
    assert [parse_duration(v) for v in ("90s", "2m", "1h30m", 5, "7", 0.5)] == [
        90,
        120,
        5400,
        5,
        7,
        0.5,
    ]
    assert [parse_size(v) for v in ("500MB", "4GiB", 12, "12", "1k")] == [
        500_000_000,
        2**32,
        12,
        12,
        1000,
    ]
    for bad in (True, None, "x", "1y", float("nan")):
        with pytest.raises(ValueError, match="is not a"):
            parse_duration(bad)


def test_the_schema_says_what_a_field_is() -> None:
    schema = schema_of(Options)["properties"]
    assert schema["sigma"] == {
        "type": "number", "description": "Width of the blur (px)", "minimum": 0.1, "maximum": 10,
        "default": 1.2,
    }  # fmt: skip
    assert schema["method"]["enum"] == ["otsu", "sauvola"]
    assert schema["mode"]["enum"] == ["fast", "fine"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"sigm": 1}, schema_of(Options))


def test_an_option_without_default_must_be_given() -> None:
    @attrs.frozen
    class Needs:
        path: str = option(doc="Where")

    with pytest.raises(ConfigError, match="path must be given"):
        structure_options(Needs, {}, "options.needs")
