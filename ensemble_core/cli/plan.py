"""``ensemble plan``: what convert would do, without doing it."""

from __future__ import annotations

import json
from typing import Any

import click

from ..model import Plan, PlannedComponent
from .common import build_config, config_options, expand, parse_pages, step_options


@click.command("plan")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@step_options
@config_options
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def command(inputs: tuple[str, ...], as_json: bool, debug: bool, **given: Any) -> None:
    """Show which components would run on INPUT, in which order, with which options, and why."""
    from ..pipeline import Pipeline
    from ..pipeline.wire import pack

    pages = parse_pages(given.pop("pages"))
    pipeline = Pipeline.from_config(build_config(**given))
    plan = pipeline.plan(expand(inputs), pages)
    if as_json:
        click.echo(json.dumps(pack(plan), indent=2, ensure_ascii=False))
        return
    for line in _describe(plan):
        click.echo(line)


def _describe(plan: Plan) -> list[str]:
    steps = [("load", loader) for loader in dict.fromkeys(map(_Same, plan.loaders.values()))]
    lines = [_line(role, step.planned) for role, step in steps]
    lines += [_line("enhance", step, f"on error: {step.on_error}") for step in plan.preprocess]
    if plan.recognizer:
        lines.append(_line("recognize", plan.recognizer))
    lines += [_line("or else", step) for step in plan.fallbacks]
    lines += [_line("export", step) for step in plan.export]
    deadline = f"{plan.page_deadline:g} s a page" if plan.page_deadline else "no deadline"
    how = f"{plan.jobs} at a time, {plan.threads} threads each, {deadline}"
    return [*lines, _line("run", plan.executor, how)]


class _Same:
    """A planned component compared by what it is, so that it is shown once."""

    def __init__(self, planned: PlannedComponent) -> None:
        self.planned = planned

    def __hash__(self) -> int:
        return hash((self.planned.kind, self.planned.name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.planned == self.planned


def _line(role: str, step: PlannedComponent, more: str = "") -> str:
    source = f"{step.distribution} {step.version}".strip() or "in-process"
    options = " ".join(f"{key}={value}" for key, value in step.options.items())
    models = f"model files: {', '.join(step.models)}" if step.models else ""
    facts = "; ".join(text for text in (step.reason, more, models) if text)
    return f"{role:<10} {step.name:<12} {source}  [{facts}]" + (f"  {options}" if options else "")
