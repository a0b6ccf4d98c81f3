"""From command-line arguments to what a service is asked, by what it says it can do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ensemble_core.config.options import did_you_mean
from ensemble_core.model import ConfigError

KINDS = ("loaders", "preprocessors", "recognizers", "exporters")


class Abilities:
    """What ``/v1/capabilities`` says.

    Args:
        data: The answer.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._components: dict[str, list[dict[str, Any]]] = {
            kind: list(data["components"].get(kind, ())) for kind in KINDS
        }
        self.default_export: list[str] = list(data["default_export"])

    def suffixes(self, names: Iterable[str]) -> list[str]:
        """Of the files some exporters make.

        Raises:
            ConfigError: The service has no such exporter.
        """
        known = {each["name"]: str(each.get("suffix", "")) for each in self._exporters()}
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known) or f"it has: {', '.join(sorted(known))}"
                raise ConfigError(f"the service has no exporter {name!r}", hint=hint)
        return [known[name] for name in names]

    def exporter_for(self, suffix: str) -> str:
        """Name of the one exporter whose files end in ``suffix``.

        Raises:
            ConfigError: The service has none, or more than one.
        """
        fitting = [each["name"] for each in self._exporters() if each.get("suffix") == suffix]
        if len(fitting) == 1:
            return str(fitting[0])
        known = ", ".join(sorted({str(each.get("suffix")) for each in self._exporters()}))
        if not fitting:
            text = f"the service makes no {suffix or 'such'} files"
            raise ConfigError(text, hint=f"known: {known}")
        raise ConfigError(
            f"{' and '.join(fitting)} both make {suffix} files", hint="choose one with --to"
        )

    def options(self, assignments: Sequence[str]) -> dict[str, Any]:
        """``-O NAME.KEY=VALUE`` as data of the types the components' schemas name.

        Raises:
            ConfigError: One is not of that form.
        """
        found: dict[str, Any] = {}
        for text in assignments:
            path, equals, value = text.partition("=")
            words = [word.strip().replace("_", "-") for word in path.split(".")]
            if not equals or len(words) != 2 or not all(words):
                raise ConfigError(f"-O {text}: is not of the form component.option=value")
            name, key = words
            found.setdefault(name, {})[key] = _typed(value, self._schema(name, key))
        return found

    def _exporters(self) -> list[dict[str, Any]]:
        return self._components["exporters"]

    def _schema(self, name: str, key: str) -> Mapping[str, Any]:
        for components in self._components.values():
            for each in components:
                options = each.get("options") or {}
                if each["name"] == name and key in options.get("properties", {}):
                    schema: Mapping[str, Any] = options["properties"][key]
                    return schema
        return {}


def asked_for(given: Mapping[str, Any], abilities: Abilities) -> dict[str, Any]:
    """The arguments of ``Client.submit`` for a command line.

    Raises:
        ConfigError: Something on it is wrong.
    """
    from ensemble_core.cli.common import split_names

    asked: dict[str, Any] = {"export": abilities.default_export}
    output = given["output"] or ""
    if given["export"]:
        asked["export"] = split_names(given["export"])
    elif output not in ("", "-") and not output.endswith("/") and not Path(output).is_dir():
        suffix = Path(output).suffix
        if suffix and "{" not in suffix:
            asked["export"] = [abilities.exporter_for(suffix.lower())]
    abilities.suffixes(asked["export"])
    if given["recognizer"]:
        asked["recognizer"] = given["recognizer"]
    if given["preprocess"] is not None:
        asked["preprocess"] = split_names(given["preprocess"])
    if given["options"]:
        asked["options"] = abilities.options(given["options"])
    if given["deadline"] is not None:
        asked["deadline"] = given["deadline"]
    if given["priority"]:
        asked["priority"] = given["priority"]
    return asked


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    kinds = {str(each.get("type")) for each in (schema, *schema.get("anyOf", ()))}
    if "string" in kinds and not kinds & {"number", "integer", "boolean", "array"}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        pass
    if "array" in kinds:
        return [_typed(part.strip(), schema.get("items", {})) for part in text.split(",") if part]
    return text
