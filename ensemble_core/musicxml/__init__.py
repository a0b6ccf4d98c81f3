"""MusicXML, the one format the core knows: reading it safely, checking, joining, signing it.

A small public package for the core and for plugins. lxml is imported when a function is
called, never when this package is.
"""

from __future__ import annotations

from .check import check_wellformed_score, count_measures
from .convert import to_partwise
from .join import MissingPage, join, missing_pages
from .mxl import read_mxl, write_mxl
from .reading import MEDIA_TYPE, MXL_MEDIA_TYPE, parse, score_from, serialize, title_of
from .schema import find_schema, validate
from .stamp import SOFTWARE_PREFIX, stamp

__all__ = [
    "MEDIA_TYPE",
    "MXL_MEDIA_TYPE",
    "SOFTWARE_PREFIX",
    "MissingPage",
    "check_wellformed_score",
    "count_measures",
    "find_schema",
    "join",
    "missing_pages",
    "parse",
    "read_mxl",
    "score_from",
    "serialize",
    "stamp",
    "title_of",
    "to_partwise",
    "validate",
    "write_mxl",
]
