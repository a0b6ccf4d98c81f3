"""The settings of the core itself, as options classes like anybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import attrs

from ..model import ByteSize, ConfigError, Duration, Limits, option
from ..modelfiles import Origin, Store
from ..places import model_folder
from .options import structure_options


@attrs.frozen
class PipelineSection:
    """``[pipeline]``: what is done, step by step."""

    preprocess: tuple[Any, ...] = option((), "Image enhancers, run in this order")
    recognizer: Any = option("auto", "What reads the pages; `auto` takes the best installed")
    fallback: tuple[Any, ...] = option((), "Recognizers to try on a page the first one fails on")
    export: tuple[Any, ...] = option(("musicxml",), "What is made of the score")
    join: bool = option(False, "Make one score of all inputs")


@attrs.frozen
class RunSection:
    """``[run]``: how it is done."""

    executor: str = option("processes", "What runs the work: processes, serial, or a plugin's")
    jobs: int = option(0, "Pages at a time; 0: all, at most one per core", minimum=0)
    threads: int = option(0, "Threads a job may use; 0: cores divided by jobs", minimum=0)
    page_deadline: Duration = option(Duration(900.0), "Longest a page may take; 0: no deadline")
    cache: bool = option(True, "Keep results of pages and use them again")
    cache_dir: Path | None = option(None, "Where results are kept")
    cache_size: ByteSize = option(ByteSize(2_000_000_000), "Most bytes the cache may take")


@attrs.frozen
class PluginsSection:
    """``[plugins]``: which plugins may be used at all."""

    block: tuple[str, ...] = option((), "Distributions, strategies or `dist:name` never imported")


@attrs.frozen
class ModelsSection:
    """``[models]``: where model files are kept, and where they may come from."""

    folder: Path | None = option(None, "Where model files are kept")
    mirror: str = option("", "Fetch `MIRROR/COMPONENT/FILE` instead of from the publisher")
    allow_hosts: tuple[str, ...] = option((), "Further hosts a download may be redirected to")
    timeout: Duration = option(Duration(30.0), "Longest a server may be silent", minimum=0.1)

    def store(self) -> Store:
        """The folder of model files."""
        return Store(self.folder or model_folder())

    def origin(self) -> Origin:
        """Where model files may be fetched from.

        Raises:
            ConfigError: The mirror is none.
        """
        return Origin(self.mirror, self.allow_hosts, self.timeout)


SECTIONS: dict[str, type[Any]] = {
    "pipeline": PipelineSection,
    "run": RunSection,
    "limits": Limits,
    "plugins": PluginsSection,
    "models": ModelsSection,
}


@attrs.frozen
class Use:
    """One step as it is written in configuration: a name, or a table with ``use``.

    Attributes:
        name: Strategy name, possibly ``distribution:name``.
        options: Options given right there.
        on_error: What happens when it fails (preprocessors).
        fallback: Recognizers to try after it.
    """

    name: str
    options: dict[str, Any] = attrs.field(factory=dict)
    on_error: Literal["fail", "skip"] | None = None
    fallback: tuple[Use, ...] = ()

    @staticmethod
    def parse(value: Any, where: str) -> Use:
        """Read ``"name"`` or ``{ use = "name", option = value }``.

        Raises:
            ConfigError: It is neither.
        """
        if isinstance(value, Use):
            return value
        if isinstance(value, str) and value:
            return Use(value)
        if not isinstance(value, dict) or not isinstance(value.get("use"), str):
            raise ConfigError(
                f"{where}: {value!r} is not a step",
                hint='write "name", or { use = "name", option = value }',
            )
        rest = {k.replace("_", "-"): v for k, v in value.items() if k != "use"}
        on_error = rest.pop("on-error", None)
        if on_error not in (None, "fail", "skip"):
            raise ConfigError(f"{where}.on-error: {on_error!r} is not 'fail' or 'skip'")
        fallback = rest.pop("fallback", ())
        if isinstance(fallback, str):
            fallback = (fallback,)
        others = tuple(Use.parse(item, f"{where}.fallback") for item in fallback)
        return Use(value["use"], rest, on_error, others)


@attrs.frozen
class Settings:
    """All settings with every value filled in.

    Attributes:
        options: Component name (``sharpen``, or ``exporters.pdf`` when two kinds share
            the name) → option → value.
    """

    pipeline: PipelineSection
    run: RunSection
    limits: Limits
    plugins: PluginsSection
    models: ModelsSection
    options: dict[str, dict[str, Any]]

    @staticmethod
    def build(data: dict[str, Any]) -> Settings:
        """Structure merged configuration data.

        Raises:
            ConfigError: A section, key or value is wrong.
        """
        sections = {
            name: structure_options(cls, data.get(name, {}), name) for name, cls in SECTIONS.items()
        }
        return Settings(**sections, options=data.get("options", {}))
