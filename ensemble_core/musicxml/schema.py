"""Validation against the MusicXML 4.0 XML Schema, where a copy of it is at hand.

Ensemble does not ship the schema. The PyPI package ``musicxml`` does (it is in the
``test`` extra), or a path may be given.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ensemble_core.model import InputError, MissingError

from .reading import parse

# The XLink attributes the MusicXML schema refers to. The package that ships the schema
# leaves this one out, and its address is on the web, where nothing is ever loaded from.
_XLINK = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
  targetNamespace="http://www.w3.org/1999/xlink">
  <xs:attribute name="href" type="xs:anyURI"/>
  <xs:attribute name="type" type="xs:NMTOKEN"/>
  <xs:attribute name="role" type="xs:token"/>
  <xs:attribute name="title" type="xs:token"/>
  <xs:attribute name="show" type="xs:NMTOKEN"/>
  <xs:attribute name="actuate" type="xs:NMTOKEN"/>
</xs:schema>"""
_XML = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
  targetNamespace="http://www.w3.org/XML/1998/namespace">
  <xs:attribute name="lang" type="xs:language"/>
  <xs:attribute name="space" type="xs:NCName"/>
</xs:schema>"""


def find_schema() -> Path | None:
    """Where the installed package ``musicxml`` keeps the XSD; None when it is not installed."""
    spec = find_spec("musicxml")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / "generate_classes" / "musicxml_4_0.xsd"
        if path.is_file():
            return path
    return None


def validate(data: bytes, schema: Path | None = None, *, most: int = 20) -> list[str]:
    """What the MusicXML 4.0 schema has to say against a document; empty: it is valid.

    Args:
        data: The document.
        schema: The XSD; None: the one :func:`find_schema` finds.
        most: How many findings to give.

    Raises:
        MissingError: There is no schema to validate against.
    """
    path = schema or find_schema()
    if path is None:
        raise MissingError(
            "the MusicXML 4.0 schema is not installed",
            hint="pip install musicxml", code="schema-missing",
        )  # fmt: skip
    try:
        root = parse(data, "score")
    except InputError as error:
        return [error.message]
    xsd = _load(path)
    if xsd.validate(root):
        return []
    return [f"line {found.line}: {found.message}" for found in list(xsd.error_log)[:most]]


@lru_cache(maxsize=2)
def _load(path: Path) -> Any:
    from lxml import etree

    class Local(etree.Resolver):  # type: ignore[misc]
        def resolve(self, url: str, public_id: str, context: Any) -> Any:
            if url.endswith("xlink.xsd"):
                return self.resolve_string(_XLINK, context)
            if url.endswith("xml.xsd"):
                return self.resolve_string(_XML, context)
            return None

    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Local())
    return etree.XMLSchema(etree.parse(str(path), parser))
