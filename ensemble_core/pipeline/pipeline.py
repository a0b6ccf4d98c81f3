"""The pipeline: what embedding programs and the command line both use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..config import Config
from ..model import CancelToken, ComponentSpec, Plan, Progress
from ..modelfiles import Store, fetch
from ..registry import Registry
from .emitter import Emitter, Observer
from .inputs import Input, Source, as_input, joined, materialize, media_types
from .outputs import Policy
from .planner import Fetch, Planned, Planner
from .run import Result, Run
from .workspace import workspace


class Pipeline:
    """Converts pictures of music (or scores) by the components it was configured with.

    Reads no configuration file and no environment by itself, installs no signal handler
    and no logging, keeps no global state: several pipelines with different plugins may
    work in one process, each in its own thread.

    Args:
        preprocess: Image enhancers in order: ``"deskew"`` or ``{"use": "sharpen",
            "sigma": 1.2}``.
        recognizer: Name of the recognizer; ``"auto"`` takes the best one installed.
        export: Names of exporters.
        options: Component name → option → value.
        plugins: Live plugins: modules or objects with hooks.
        installed: Use the installed plugins too.
        config: Configuration to start from; the arguments above override it.

    Raises:
        ConfigError: A setting is wrong.
        ContractError: A live plugin has hooks nobody knows.
    """

    def __init__(
        self,
        *,
        preprocess: Sequence[Any] | None = None,
        recognizer: Any = None,
        export: Sequence[Any] | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        plugins: Sequence[Any] = (),
        installed: bool = True,
        config: Config | None = None,
    ) -> None:
        given = {"preprocess": preprocess, "recognizer": recognizer, "export": export}
        steps = {key: value for key, value in given.items() if value is not None}
        layered = (config or Config()).with_layer(
            "argument", {"pipeline": steps, "options": dict(options or {})}
        )
        self.config = layered
        self.settings = layered.settings()
        self.registry = Registry(plugins, self.settings.plugins.block, installed)

    @classmethod
    def from_config(
        cls, config: Config | Mapping[str, Any] | str | Path, *, plugins: Sequence[Any] = ()
    ) -> Pipeline:
        """A pipeline by configuration: a :class:`Config`, plain data, or a TOML file.

        Raises:
            ConfigError: The configuration is wrong or cannot be read.
        """
        if isinstance(config, str | Path):
            config = Config.from_file(config)
        elif not isinstance(config, Config):
            config = Config.from_mapping(config)
        return cls(config=config, plugins=plugins)

    def plan(
        self, inputs: Iterable[Source | Input] = (), pages: Sequence[int] | None = None
    ) -> Plan:
        """What :meth:`run` would do with these inputs; nothing is read but their kind.

        Args:
            inputs: Paths, bytes, streams.
            pages: 0-based pages to read; None: all.

        Raises:
            ConfigError: A setting or option is wrong.
            MissingError: A component, or something it needs, is not there.
            ContractError: A chosen plugin breaks its contract.
        """
        with workspace() as folder:
            given = [materialize(as_input(source), folder) for source in inputs]
            return self.planned(given, pages).plan

    def planned(
        self,
        inputs: Sequence[Input],
        pages: Sequence[int] | None = None,
        fetch: Fetch | None = None,
    ) -> Planned:
        """The plan for inputs that are files, with what only this process knows of it."""
        chosen = None if pages is None else tuple(pages)
        return Planner(self.settings, self.registry, fetch).plan(media_types(inputs), chosen)

    def validate(self) -> None:
        """Check everything that can be checked without an input, unused options too.

        Raises:
            ConfigError: A setting or option is wrong.
            MissingError: A component, or something it needs, is not there.
            ContractError: A chosen plugin breaks its contract.
        """
        planner = Planner(self.settings, self.registry)
        planner.plan(("image/png",))
        planner.check_unused_options()

    def run(
        self,
        inputs: Iterable[Source | Input],
        *,
        output: str | Path | None = None,
        policy: Policy = "error",
        pages: Sequence[int] | None = None,
        on_event: Observer | None = None,
        cancel: CancelToken | None = None,
        fetch_models: bool = False,
        planned: Planned | None = None,
    ) -> Result:
        """Convert all inputs. What goes wrong with one of them is in its report, not raised.

        Args:
            inputs: Paths, bytes or binary streams; an :class:`Input` joins several.
            output: A folder (``"out/"``) or a file name, possibly with fields
                (``"{dir}/{stem}"``). None: nothing is written, the results hold the bytes.
            policy: What to do with files that exist: ``error``, ``skip``, ``overwrite``,
                or ``resume`` (go on where the same run was interrupted).
            pages: 0-based pages to read; None: all.
            on_event: Called for each event, from one thread at a time.
            cancel: Throw it, from any thread, to stop.
            fetch_models: Download the model files that are missing, first; told by
                :class:`Progress` events of no document, in ``bytes``.
            planned: What :meth:`planned` of this pipeline gave for as many inputs of the same
                kinds, with its pages: it is not planned again, and the files of models are not
                verified again. For programs that convert many small inputs one after the other.

        Returns:
            The report, and for each input its files (and its score, if no ``output``).

        Raises:
            ConfigError: A setting is wrong, or two inputs would write the same files.
            MissingError: A component, or something it needs, is not there.
            ContractError: A chosen plugin breaks its contract.
            Cancelled: ``cancel`` was thrown while model files were downloaded.
        """
        token, emit = cancel or CancelToken(), Emitter([on_event] if on_event else [])
        bring = partial(self._fetch_models, emit, token) if fetch_models else None
        with workspace() as folder:
            given = [as_input(source) for source in inputs]
            if self.settings.pipeline.join and len(given) > 1:
                given = [joined(given)]
            given = [materialize(each, folder) for each in given]
            run = Run(self, planned or self.planned(given, pages, bring), folder, token)
            return run.convert(given, output, policy, emit)

    def _fetch_models(
        self, emit: Emitter, cancel: CancelToken, store: Store, spec: ComponentSpec
    ) -> None:
        tell = partial(emit, Progress, component=spec.name, unit="bytes")
        fetch(
            store, spec.name, spec.models, self.settings.models.origin(), cancel=cancel,
            on_bytes=lambda done, total: tell(done=done, total=total),
        )  # fmt: skip

    async def run_async(self, inputs: Iterable[Source | Input], **options: Any) -> Result:
        """:meth:`run` in a thread of its own; cancelling the coroutine stops the run."""
        cancel = options.pop("cancel", None) or CancelToken()
        work = asyncio.ensure_future(
            asyncio.to_thread(self.run, list(inputs), cancel=cancel, **options)
        )
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            cancel.cancel()
            await asyncio.wait([work])
            raise
