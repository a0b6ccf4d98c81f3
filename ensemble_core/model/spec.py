"""Specs: what a plugin's hooks return. Cheap data; nothing heavy is imported to make one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import attrs

API_VERSION = 1
"""The plugin API this core speaks. A spec that names another one is refused."""

Kind = Literal["loader", "preprocessor", "recognizer", "exporter", "executor"]
KINDS: tuple[Kind, ...] = ("loader", "preprocessor", "recognizer", "exporter", "executor")

Isolation = Literal["worker", "inline"]


@attrs.frozen
class Requirement:
    """Something a component needs besides its own package.

    Attributes:
        kind: ``module`` (an importable Python module) or ``tool`` (a program on the PATH).
            Model files are no requirement but a :class:`ModelFile`.
        name: Name of the module or tool.
        hint: How to get it, in one line.
    """

    kind: Literal["module", "tool"]
    name: str
    hint: str = ""


@attrs.frozen
class ModelFile:
    """A model file a component reads, kept by the model service (``ensemble models``).

    Attributes:
        name: Its name in the component's folder, and in :meth:`Context.model`.
        url: Where it is published (https). Redirects may lead to the same host or to ``hosts``.
        size: Its exact size in bytes.
        sha256: Its hash, hexadecimal. Empty when the publisher names none: then the hash
            of the first whole file is written down, and every later one held to it.
        hosts: Other hosts the publisher's redirects may lead to.
        aliases: Other relative paths under which people have it (``unet_big/model.onnx``).
        licence: SPDX identifier.
    """

    name: str
    url: str
    size: int
    sha256: str = ""
    hosts: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    licence: str = ""


@attrs.frozen(kw_only=True)
class ComponentSpec:
    """What every kind of component tells about itself.

    Attributes:
        name: Strategy name, ``[a-z][a-z0-9-]*``; the entry point has the same name.
        target: ``"package.module:Class"``, called with the options when the component
            is used. An in-process plugin may give the class itself.
        options: attrs class of the component's options (or ``"package.module:Class"``),
            fields made with :func:`ensemble_core.model.option`. None: no options.
        summary: One line for ``plugins list``.
        api: The plugin API version it was written for.
        version: Changes whenever results change; part of the cache key. Empty: the
            version of the distribution.
        priority: Higher wins when nothing was chosen (``auto``).
        isolation: ``worker`` (default) runs it in a worker process that can be killed;
            ``inline`` is for work that cannot hang or crash.
        deterministic: Same input and options give the same bytes.
        requires: What must be present besides the package.
        models: Model files it reads. They are never downloaded without the user's word.
        own_models: Name of an option, a folder, by which a user brings files of their own
            in the place of ``models``; they are taken as they are, whatever their size.
    """

    kind: ClassVar[Kind]
    name: str
    target: str | Callable[..., Any]
    options: str | type[Any] | None = None
    summary: str = ""
    api: int = API_VERSION
    version: str = ""
    priority: int = 0
    isolation: Isolation = "worker"
    deterministic: bool = True
    requires: tuple[Requirement, ...] = ()
    models: tuple[ModelFile, ...] = ()
    own_models: str = ""


@attrs.frozen(kw_only=True)
class LoaderSpec(ComponentSpec):
    """A loader: ``accepts`` lists media types, ``gives`` says what comes out."""

    kind: ClassVar[Kind] = "loader"
    accepts: tuple[str, ...]
    gives: Literal["pages", "score"] = "pages"


@attrs.frozen(kw_only=True)
class PreprocessorSpec(ComponentSpec):
    """A preprocessor: one page in, one page out."""

    kind: ClassVar[Kind] = "preprocessor"


@attrs.frozen(kw_only=True)
class RecognizerSpec(ComponentSpec):
    """A recognizer: one page in, the score of that page out."""

    kind: ClassVar[Kind] = "recognizer"


@attrs.frozen(kw_only=True)
class ExporterSpec(ComponentSpec):
    """An exporter: a score in, one or several files out.

    Attributes:
        media_type: Of the files it makes.
        suffix: Of the (first) file, ``.mid``; what ``--output name.mid`` is matched by.
        needs_pictures: It wants the source pages' pictures in ``Score.pages``.
    """

    kind: ClassVar[Kind] = "exporter"
    media_type: str
    suffix: str
    needs_pictures: bool = False


@attrs.frozen(kw_only=True)
class ExecutorSpec(ComponentSpec):
    """An executor: runs tasks, here or elsewhere.

    Attributes:
        blocking: ``submit`` does the task in the calling thread; nothing is gained by
            submitting from several.
    """

    kind: ClassVar[Kind] = "executor"
    blocking: bool = False


@attrs.frozen(kw_only=True)
class CommandSpec:
    """A command a plugin adds to ``ensemble``; ``target`` is imported when it is called.

    Attributes:
        name: The word after ``ensemble``.
        target: ``"package.module:command"``, a click command.
        summary: One line for ``--help``.
    """

    name: str
    target: str
    summary: str = ""
