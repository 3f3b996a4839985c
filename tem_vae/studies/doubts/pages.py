"""The page of a table of measurements, and its figure."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tem_vae.report.style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION, WIDTH, Line, styled
from tem_vae.runs.files import write_whole
from tem_vae.studies.doubts.measure import Result, read_results
from tem_vae.text import markdown_table

_HEADINGS = {
    "told": "recorded actions",
    "belief": "belief",
    "filter_geometry": "knows geometry, sees classes",
    "filter_map": "knows the map",
    "happened": "actions that happened",
}
_LINES = {
    "told": Line(VERMILION, "--", "v"),
    "belief": Line(BLUE, "-", "o"),
    "filter_geometry": Line(ORANGE, "-.", "s"),
    "filter_map": Line(GREEN, ":", "D"),
    "happened": Line(BLACK, ":", "^"),
}


def write_pages(out: Path, name: str) -> str:
    """Write the table and the figure of all measurements of one name; returns the Markdown."""
    results = read_results(out / "results" / name)
    text = render(name, results)
    write_whole(out / f"{name}.md", text)
    draw(results).savefig(out / f"{name}.png")
    return text


def render(name: str, results: Sequence[Result]) -> str:
    """The Markdown of measurements."""
    headings = ("walks", "replaced", "K", "seed", "believed", *_HEADINGS.values())
    accuracies = markdown_table(headings, [[*_describe(result), *_accuracies(result)] for result in results])
    nats = markdown_table(headings, [[*_describe(result), *_nats(result)] for result in results])
    return (
        f"# Doubts: {name}\n\n<!-- Written by scripts/measure_doubts.py; edit that, not this. -->\n\n"
        "Who says what, and what a column knows: [slips.md](../slips.md#beside-agents-that-know-more).\n\n"
        f"Named right, revisits / zero-shot links, %, with standard errors over walks:\n\n{accuracies}\n\n"
        f"Nats a class, at revisits: −ln of the probability of the class that is there:\n\n{nats}\n\n"
        f"![Accuracy and nats against the share of wrong actions]({name}.png)\n"
    )


def _describe(result: Result) -> list[str]:
    setting = result["setting"]
    believed = f"{100 * setting['slip_rate']:.2g} %"
    if "persistence" in setting:
        believed += f", persistence {setting['persistence']:.2f}"
    return [
        f"{setting['walks']:,} of {setting['walk_length']:,}",
        f"{100 * setting['slips']:g} %",
        f"{setting['hypotheses']:,}",
        f"{setting['seed']}",
        believed,
    ]


def _accuracies(result: Result) -> list[str]:
    return [
        ""
        if _is_missing(result, predictor)
        else " / ".join(
            _estimate(result, f"{predictor}_{score}", 100, 1) for score in ("revisit", "zero_shot")
        )
        for predictor in _HEADINGS
    ]


def _nats(result: Result) -> list[str]:
    return [
        "" if _is_missing(result, predictor) else _estimate(result, f"{predictor}_class_nats", 1, 2)
        for predictor in _HEADINGS
    ]


def _is_missing(result: Result, predictor: str) -> bool:
    mean: float = result["means"][f"{predictor}_revisit"]
    return mean != mean


def _estimate(result: Result, score: str, factor: int, digits: int) -> str:
    mean, error = (factor * result[kind][score] for kind in ("means", "errors"))
    return f"{mean:.{digits}f}" if error != error else f"{mean:.{digits}f} ± {error:.{digits}f}"


@styled
def draw(results: Sequence[Result]) -> Figure:
    """Accuracy at revisits, and how many nats more than an agent that knows the geometry a class costs.

    On the left the mean over seeds of training, with most hypotheses; on the right each of them.
    """
    figure = Figure(figsize=(WIDTH, 3.4))
    left, right = figure.subplots(1, 2)
    best = _with_most_hypotheses(results)
    for predictor, line in _LINES.items():
        _draw(left, best, predictor, line)
    left.set_xlabel("recorded actions that are replaced, %")
    left.set_ylabel("revisits named right, %")
    left.legend(fontsize="small")
    for result in (r for r in results if not _is_missing(r, "filter_geometry")):
        means, setting = result["means"], result["setting"]
        gap = means["belief_class_nats"] - means["filter_geometry_class_nats"]
        right.plot(100 * setting["slips"], gap, "o", color=BLUE)
        right.annotate(f"K {setting['hypotheses']:g}", (100 * setting["slips"], gap), fontsize="x-small")
    right.axhline(0, color=GREY, linewidth=0.8)
    right.set_xlabel("recorded actions that are replaced, %")
    right.set_ylabel("nats a class more than\nwho knows the geometry")
    return figure


def _with_most_hypotheses(results: Sequence[Result]) -> list[list[Result]]:
    """Of each share of wrong actions, and of the longest walks, the seeds with most hypotheses."""
    longest = max((result["setting"]["walk_length"] for result in results), default=0)
    found: dict[float, list[Result]] = {}
    for result in results:
        setting = result["setting"]
        if setting["walk_length"] == longest:
            found.setdefault(setting["slips"], []).append(result)
    best = []
    for slips in sorted(found):
        most = max(result["setting"]["hypotheses"] for result in found[slips])
        best.append([result for result in found[slips] if result["setting"]["hypotheses"] == most])
    return best


def _draw(axes: Axes, results: Sequence[Sequence[Result]], predictor: str, line: Line) -> None:
    points = []
    for seeds in results:
        known = [r["means"][f"{predictor}_revisit"] for r in seeds if not _is_missing(r, predictor)]
        if known:
            points.append((100 * seeds[0]["setting"]["slips"], 100 * fmean(known)))
    if points:
        x, y = zip(*points, strict=True)
        axes.plot(x, y, label=_HEADINGS[predictor], **line._asdict())
