"""Each crash oemer is known for, and what to tell the user instead.

Collected from oemer's code, from runs, and from the reports of its users
(github.com/BreezeWhite/oemer/issues, numbers in brackets).
"""

from __future__ import annotations

import errno

import attrs

from ensemble_core.model import EnsembleError, OutputError, RecognitionError

_SCAN = "scan the whole page upright at 300 dpi; for photos the steps crop and flatten help"
_OTHER = "another recognizer may read it"


@attrs.frozen
class Known:
    """A known crash.

    Attributes:
        stages: In which of oemer's stages it happens; empty: in any.
        exceptions: Names of the exception classes.
        text: What its message contains.
        code, message, hint: Of the error the user gets.
    """

    stages: tuple[str, ...]
    exceptions: tuple[str, ...]
    text: str
    code: str
    message: str
    hint: str


KNOWN: tuple[Known, ...] = (
    Known(
        ("staves",), ("TypeError",), "0-d array", "too-few-staves",
        "oemer finds at most one staff here and needs two", _OTHER,
    ),
    Known(
        ("staves",), ("IndexError", "ValueError"), "", "no-staves",
        "oemer finds no whole staves here", _SCAN,
    ),
    Known(
        ("staves",), ("AssertionError", "Exception"), "", "staves-unclear",
        "oemer finds staves that have not five lines each from left to right", _SCAN,
    ),
    Known(
        (), ("ValueError",), "is not a valid Key", "key-unsupported",
        "oemer reads more than six sharps or flats, which it cannot write", _OTHER,
    ),
    Known(
        ("noteheads",), ("IndexError", "ValueError"), "", "no-noteheads",
        "oemer finds staves here, but no noteheads", _SCAN,
    ),
    Known(
        ("symbols",), ("IndexError",), "too many indices", "no-signs",
        "oemer finds noteheads here, but no clefs or bar lines", _SCAN,
    ),
    Known(
        ("musicxml",), ("AssertionError",), "", "systems-unclear",
        "oemer finds systems that do not have two staves each", _OTHER,
    ),
    Known(
        ("musicxml",), ("IndexError",), "list index", "key-unclear",
        "oemer finds a bar with nothing where it looks for the key", _OTHER,
    ),
    Known(
        ("groups", "symbols", "rhythm"), ("IndexError",), "out of bounds", "page-edge",
        "something stands too close to the edge of the page for oemer",
        "leave a white margin around the music",
    ),
)  # fmt: skip


def no_staves() -> RecognitionError:
    """For a page on which the first net saw no pixel of a staff line."""
    return RecognitionError("there are no staves on this page", hint=_SCAN, code="no-staves")


def typed(error: Exception, stage: str) -> EnsembleError:
    """The error to raise for an exception of oemer's.

    Args:
        error: What oemer raised.
        stage: Where it was, a key of :data:`ensemble_oemer.rules.STAGES`.

    Raises:
        MemoryError: It was one; the frame says what that means.
    """
    if isinstance(error, MemoryError):
        raise error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return OutputError(
            "there is no room for oemer's working files", hint="set TMPDIR to a larger disk"
        )
    name = type(error).__name__
    for known in KNOWN:
        if (
            (not known.stages or stage in known.stages)
            and name in known.exceptions
            and known.text in str(error)
        ):
            return RecognitionError(known.message, hint=known.hint, code=known.code)
    said = str(error).splitlines()
    return RecognitionError(
        f"oemer failed in its stage {stage}: {name}" + (f": {said[0]}" if said else ""),
        hint=_OTHER, code="oemer-failed",
    )  # fmt: skip
