"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from .evaluation import Evaluation
from .groups import group_of
from .pictures import Engraver, crop
from .plots import Dot, bars, strips
from .scoring import Score, read_truth
from .summary import costs
from .table import HEADS, cells
from .worst import WorstBar, bad_bars, bar_ids, one_bar, worst_of


def write_html(path: Path, done: Evaluation, worst: int = 24) -> None:
    """Write the report, whole or not at all.

    Args:
        path: Where to.
        done: What to report.
        worst: How many of the worst bars of each recognizer to show.
    """
    body = [_head(done), _groups(done), _plots(done), _costs(done)]
    body += [_worst(done, name, worst) for name in done.recognizers]
    body.append(_documents(done))
    style = (files(__package__) / "report.css").read_text(encoding="utf-8")
    text = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>How well they read</title><style>{style}</style>{''.join(body)}</html>\n"
    )
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _head(done: Evaluation) -> str:
    names = ", ".join(done.recognizers)
    cores = "one core" if done.how.threads == 1 else f"{done.how.threads} cores"
    return (
        f"<h1>How well they read</h1><p>{escape(names)}: {len(done.cases)} documents, on {cores} "
        "each. A page that failed counts as completely wrong. Note F1 and OMR-NED in the table "
        "are over documents; total is all edits over all symbols; basic is notes, rests and "
        "signatures alone. Seconds are inside the pipeline's steps; processor seconds and "
        "memory are the whole worker's, its start included.</p>"
    )


def _groups(done: Evaluation) -> str:
    lines = [
        _line(cells(row), names=2, style="all" if row.group == "all" else "") for row in done.rows
    ]
    return _table("Figures", _line(HEADS, names=2, tag="th"), lines)


def _plots(done: Evaluation) -> str:
    most = max((max(score.seconds, default=0.0) for score in done.scores), default=0.0) or 1.0
    plots = (
        ("Note F1", strips(_dots(done, lambda s: s.notes.note_f1), 1.0, "%")),
        ("OMR-NED, all objects", strips(_dots(done, _ned), 1.0, "%")),
        ("Seconds a page", strips(_dots(done, _seconds), most, "s")),
    )
    key = "".join(
        f'<span><i style="background:var(--s{n % 4})"></i>{escape(name)}</span>'
        for n, name in enumerate(done.recognizers)
    )
    shown = "".join(f"<h3>{title}</h3>{plot}" for title, plot in plots)
    return f'<h2>Page by page</h2><p class="key">{key}</p>{shown}'


def _ned(score: Score) -> float | None:
    return None if score.distance is None else score.distance.ned


def _seconds(score: Score) -> float | None:
    return sum(score.seconds) / len(score.seconds) if score.seconds else None


def _dots(done: Evaluation, of: Callable[[Score], float | None]) -> dict[str, list[Dot]]:
    groups: dict[str, list[Dot]] = {}
    for score in done.scores:
        value = of(score)
        if value is not None:
            series = done.recognizers.index(score.recognizer) % 4
            dot = Dot(value, f"{score.recognizer}: {score.case}: {value:.3f}", series)
            groups.setdefault(group_of(done.cases[score.case]), []).append(dot)
    return dict(sorted(groups.items()))


def _costs(done: Evaluation) -> str:
    key = "".join(
        f'<span><i style="background:var(--{how})"></i>{how}</span>'
        for how in ("missed", "invented", "changed")
    )
    plots = "".join(
        f"<h3>{escape(name)}</h3>{bars(costs(done.of(name)))}" for name in done.recognizers
    )
    return (
        "<h2>What the OMR-NED is made of</h2><p>Share of all symbols of both scores. A lyric's "
        f'symbols are its letters.</p><p class="key">{key}</p>{plots}'
    )


def _worst(done: Evaluation, recognizer: str, most: int) -> str:
    found: list[WorstBar] = []
    for score in done.of(recognizer):
        reading = done.readings[(recognizer, score.case)]
        if reading.score:
            truth = read_truth(done.cases[score.case].truth)
            found += bad_bars(score.case, recognizer, truth, reading.score.read_bytes())
    shown = worst_of(found, most)
    if not shown:
        return ""
    engrave = Engraver()
    cards = "".join(_card(done, bar, engrave) for bar in shown)
    return (
        f"<h2>{escape(recognizer)}: the worst bars</h2><p>{len(found)} bars have wrong notes; "
        f'the worst {len(shown)}, two of a document at most.</p><div class="bars">{cards}</div>'
    )


def _card(done: Evaluation, bar: WorstBar, engrave: Engraver) -> str:
    case = done.cases[bar.case]
    reading = done.readings[(bar.recognizer, bar.case)]
    truth = engrave(one_bar(read_truth(case.truth), bar.bar))
    found = picture = ""
    if bar.found is not None and reading.score:
        read = reading.score.read_bytes()
        found = engrave(one_bar(read, bar.found))
        picture = crop(case, reading, bar_ids(read, bar.found))
    image = f'<img alt="" src="{picture}">' if picture else "(no box known)"
    figures = (("page", image), ("truth", truth), ("read", found or "(not read)"))
    shown = "".join(
        f"<figure><figcaption>{name}</figcaption>{what or '(needs verovio)'}</figure>"
        for name, what in figures
    )
    return (
        f'<div class="bar"><header><b>{escape(bar.case)}</b>, bar {bar.bar + 1}: '
        f'{bar.wrong} notes missed or invented</header><div class="three">{shown}</div></div>'
    )


def _documents(done: Evaluation) -> str:
    heads = ("recognizer", "document", "note F1", "pitch F1", "NED", "basic", "bars", "s", "MB",
             "remark")  # fmt: skip
    ranked = sorted(done.scores, key=lambda s: (s.notes.note_f1, s.case))
    lines = [_line(_document(score), names=2) for score in ranked]
    return _table("All documents, the worst first", _line(heads, names=2, tag="th"), lines)


def _document(score: Score) -> list[str]:
    ned, basic = score.distance, score.basic
    return [
        score.recognizer, score.case, f"{score.notes.note_f1:.3f}", f"{score.notes.pitch_f1:.3f}",
        f"{ned.ned:.1%}" if ned else "–", f"{basic.ned:.1%}" if basic else "–",
        f"{score.notes.exact_bars}/{score.notes.bars}", f"{sum(score.seconds):.2f}",
        f"{score.peak_mb:.0f}", "; ".join(text for text in (score.error, score.unmeasured) if text),
    ]  # fmt: skip


def _table(title: str, head: str, lines: Sequence[str]) -> str:
    rows = "".join(lines)
    return f'<h2>{title}</h2><div class="wide"><table>{head}{rows}</table></div>'


def _line(texts: Sequence[str], names: int, tag: str = "td", style: str = "") -> str:
    filled = "".join(
        f"<{tag}{' class=name' if place < names else ''}>{escape(text)}</{tag}>"
        for place, text in enumerate(texts)
    )
    return f'<tr class="{style}">{filled}</tr>'
