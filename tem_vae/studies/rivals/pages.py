"""The pages of a comparison: for every task a table of each test, one of costs, a CSV, and a figure."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tem_vae.runs.files import write_whole
from tem_vae.studies.rivals.catalogue import RIVALS
from tem_vae.studies.rivals.compare import read_results, read_search, tasks_found
from tem_vae.studies.rivals.config import AGENTS, ON_A_RECIPE, taking_part
from tem_vae.studies.rivals.figures import draw_curves, draw_overview
from tem_vae.studies.rivals.job import Result
from tem_vae.studies.rivals.tasks import TASKS, Published
from tem_vae.sweeps.table import Estimate, estimate
from tem_vae.text import markdown_table

NOT_RUN, NOT_APPLICABLE, NOT_SAID = "not run", "does not apply", ""
OVERVIEW = "accuracy.png"


@dataclass(frozen=True)
class _Score:
    """How a score stands in a table.

    Attributes:
        heading: Of its column.
        number: How a value is written.
        factor: What it is multiplied by before.
        highest: Whether more is better.
    """

    heading: str
    number: str
    factor: float = 1.0
    highest: bool = True


_SCORES = {
    "revisit": _Score("revisits, %", "{:.1f}", 100),
    "zero_shot": _Score("zero-shot links, %", "{:.1f}", 100),
    "decoded_revisit": _Score("revisits, decoded, %", "{:.1f}", 100),
    "decoded_r2": _Score("R², decoded", "{:.3f}"),
    "decoded_r2_at_returns": _Score("R² at returns", "{:.3f}"),
    "class_nats": _Score("nats a class, at revisits", "{:.2f}", highest=False),
    "nats": _Score("nats a percept", "{:.2f}", highest=False),
}
_COSTS = {
    "seconds": "{:.0f}",
    "updates": "{:,.0f}",
    "steps_per_second": "{:,.0f}",
    "peak_mebibytes": "{:,.0f}",
    "parameters": "{:,.0f}",
}
_COST_HEADINGS = (
    *("training, CPU-s", "updates", "walk steps a CPU-s", "peak memory, MiB", "parameters"),
    *("tests, CPU-s", "setting chosen"),
)


def write_pages(out: Path, task: str) -> str:
    """Write table, CSV and figure of a task, and the figure of all tasks; returns the Markdown."""
    results = list(read_results(out, task))
    out.mkdir(parents=True, exist_ok=True)
    searching = [model for model in taking_part(task) if model not in ON_A_RECIPE]
    searches = {
        model: found
        for model in searching
        if (found := read_search(out, task, model)) and found["tried"][found["best"]]["nats"] is not None
    }
    text = render(task, results, searches)
    write_whole(out / f"{task}.md", text)
    write_whole(out / f"{task}.csv", _as_csv(task, results))
    if any(result.get("curve") for result in results):
        draw_curves(TASKS[task].title, results).savefig(out / f"{task}.png")
        found = {TASKS[name].title: list(read_results(out, name)) for name in tasks_found(out)}
        draw_overview(found).savefig(out / OVERVIEW)
    return text


def render(task: str, results: Sequence[Result], searches: Mapping[str, Result]) -> str:
    """The Markdown of a task, of all results that are there and of the searches that decided settings."""
    plan = TASKS[task]
    budgets = sorted({result["job"]["budget"] for result in results})
    machines = sorted({result["machine"] for result in results})
    budget = ", ".join(f"{budget:g}" for budget in budgets) or "none"
    parts = [
        f"# {plan.title[0].upper()}{plan.title[1:]}\n",
        "<!-- Written by scripts/compare.py; edit that, not this. -->\n",
        *([f"    {plan.needs}"] if plan.needs else []),
        f"    {_command(task, results, searches)}\n",
        f"Budget: at most {budget} CPU-seconds of training a model and seed, one thread; "
        f"{', '.join(machines) or 'no machine'}. Mean ± standard error over seeds; the best of the models in "
        "bold, agents apart. What the models are, and how they differ from their papers: "
        "[comparison.md](../comparison.md).\n",
    ]
    for test in plan.tests:
        parts += [f"## {test}\n", _render_test(task, test, results)]
    parts += ["## Costs\n", _render_costs(task, results)]
    if searches:
        parts += ["## Searches\n", _render_searches(task, searches)]
    if any(result.get("curve") for result in results):
        parts.append(f"![Validation against CPU-seconds of training]({task}.png)\n")
    return "\n".join(parts)


def _render_searches(task: str, searches: Mapping[str, Result]) -> str:
    """What every setting that was tried came to."""
    lines = []
    for model, found in searches.items():
        tried = [f"{_name_setting(model, entry)}: {entry['nats']:.2f}" for entry in found["tried"]]
        tried[found["best"]] = f"**{tried[found['best']]}**"
        seconds = "as validation takes" if model == "clones" else f"{found['seconds_each']:g}"
        lines.append([RIVALS[model].title, seconds, *tried])
    settings = max(len(found["tried"]) for found in searches.values())
    header = ["", "CPU-s a setting", "validated nats of each setting", *[""] * (settings - 1)]
    plan = TASKS[task]
    told = [f"On the walks of {plan.searched_as or task}; nats a percept, of clones a class at revisits."]
    told += ["Models on longer runs have the settings of those on short ones."] * bool(plan.recipe)
    return f"{' '.join(told)}\n\n{markdown_table(header, lines)}"


def _command(task: str, results: Sequence[Result], searches: Mapping[str, Result]) -> str:
    """What found the results, as far as these tell it."""
    if not results:
        return f"python scripts/compare.py task={task} models=all"
    job = results[0]["job"]
    words = [f"task={task}", "models=all", f"budget={job['budget']:g}"]
    words += sorted({f"search={found['seconds_each'] / job['budget']:g}" for found in searches.values()})
    if job["overrides"]:
        words.append(f'"overrides=[{",".join(repr(override) for override in job["overrides"])}]"')
    return " ".join(["python scripts/compare.py", *words])


def _of(model: str, results: Sequence[Result]) -> list[Result]:
    return [result for result in results if result["job"]["model"] == model]


def _render_test(task: str, test: str, results: Sequence[Result]) -> str:
    plan = TASKS[task]
    published = {entry.model: entry for entry in plan.published if entry.test == test}
    sources = list(dict.fromkeys(entry.source for entry in published.values()))
    estimates = {model: _estimates(_of(model, results), test) for model in taking_part(task)}
    best = {name: _best(name, estimates) for name in plan.scores}
    lines = []
    for model in taking_part(task):
        best_here = {} if model in AGENTS else best
        cells = [_cell(name, estimates[model], best_here.get(name)) for name in plan.scores]
        cells = cells if estimates[model] else [_why_empty(_of(model, results))] * len(plan.scores)
        seeds = sum("tests" in result for result in _of(model, results))
        lines.append([RIVALS[model].title, str(seeds), *cells])
    for entry in published.values():
        if entry.model not in RIVALS:
            lines.append([entry.model, "", *[NOT_SAID] * len(plan.scores)])
    header = ["", "seeds", *(_SCORES[name].heading for name in plan.scores)]
    if not published:
        return markdown_table(header, lines)
    names = [*taking_part(task), *(entry.model for entry in published.values() if entry.model not in RIVALS)]
    for name, line in zip(names, lines, strict=True):
        line.append(_cite(published.get(name), sources))
    notes = "".join(f"\n[{number}] {source}\n" for number, source in enumerate(sources, start=1))
    return markdown_table([*header, "revisits, published, %"], lines) + notes


def _cite(entry: Published | None, sources: Sequence[str]) -> str:
    return f"{entry.revisit} [{sources.index(entry.source) + 1}]" if entry else NOT_SAID


def _estimates(results: Sequence[Result], test: str) -> Mapping[str, Estimate]:
    """Over seeds, by score; nothing where no seed was run."""
    found = [result["tests"][test] for result in results if "tests" in result]
    values = {
        name: [scores[name] for scores in found if scores.get(name) is not None]
        for name in (found or [{}])[0]
    }
    return {name: estimate(known) for name, known in values.items() if known}


def _best(name: str, estimates: Mapping[str, Mapping[str, Estimate]]) -> float | None:
    known = [found[name].mean for model, found in estimates.items() if name in found and model not in AGENTS]
    return (max if _SCORES[name].highest else min)(known, default=None)


def _cell(name: str, estimates: Mapping[str, Estimate], best: float | None) -> str:
    if (found := estimates.get(name)) is None:
        return NOT_SAID
    score = _SCORES[name]
    mean = score.number.format(score.factor * found.mean)
    error = score.number.format(score.factor * (found.standard_error or 0))
    text = mean if found.standard_error is None else f"{mean} ± {error}"
    is_best = best is not None and mean == score.number.format(score.factor * best)
    return f"**{text}**" if is_best else text


def _why_empty(results: Sequence[Result]) -> str:
    return NOT_APPLICABLE if any("not_applicable" in result for result in results) else NOT_RUN


def _render_costs(task: str, results: Sequence[Result]) -> str:
    lines = []
    for model in taking_part(task):
        found = [result for result in _of(model, results) if "training" in result]
        if not found:
            lines.append([RIVALS[model].title, *[_why_empty(_of(model, results))] * len(_COST_HEADINGS)])
            continue
        costs = [_mean_cost(found, name, number) for name, number in _COSTS.items()]
        tests = sum(test["seconds"] for result in found for test in result["tests"].values()) / len(found)
        lines.append([RIVALS[model].title, *costs, f"{tests:.0f}", _setting(model, found[0])])
    return markdown_table(["", *_COST_HEADINGS], lines)


def _mean_cost(results: Sequence[Result], name: str, number: str) -> str:
    known = [result["training"][name] for result in results if result["training"][name] is not None]
    return number.format(estimate(known).mean) if known else NOT_SAID


def _setting(model: str, result: Result) -> str:
    return NOT_SAID if len(RIVALS[model].trials) == 1 else _name_setting(model, result["trial"])


def _name_setting(model: str, trial: Mapping[str, float]) -> str:
    first = "pseudocount" if model == "clones" else "rate"
    return f"{first} {trial['learning_rate']:g}, {RIVALS[model].size} {trial['size']}"


def _as_csv(task: str, results: Sequence[Result]) -> str:
    """A row a model, test and score."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["task", "test", "model", "score", "mean", "standard error", "seeds"])
    for test in TASKS[task].tests:
        for model in taking_part(task):
            for name, found in _estimates(_of(model, results), test).items():
                writer.writerow([task, test, model, name, found.mean, found.standard_error, found.count])
    return file.getvalue()
