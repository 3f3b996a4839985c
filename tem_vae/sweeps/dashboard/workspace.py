"""The dashboard as code: a wandb workspace made of `panels`."""

import json
from collections.abc import Sequence

from wandb_workspaces.reports.v2.interface import (
    Config,
    LinePlot,
    ParallelCoordinatesPlot,
    ParallelCoordinatesPlotColumn,
    ParameterImportancePlot,
    SummaryMetric,
)
from wandb_workspaces.workspaces.interface import (
    Section,
    SectionLayoutSettings,
    Workspace,
    WorkspaceSettings,
)

from tem_vae.sweeps.dashboard.panels import EXPLAINED, RESULTS, SECTIONS, SWEPT, Panel
from tem_vae.training.wandb_run import UPDATES

_COLUMNS = 3

AnyPanel = LinePlot | ParallelCoordinatesPlot | ParameterImportancePlot


def build_workspace(entity: str, project: str) -> Workspace:
    """The workspace of a project; nothing is sent anywhere before its `save`.

    Args:
        entity: The wandb user or team.
        project: The wandb project.
    """
    sections = [_section("sweep", [_parallel_coordinates(), ParameterImportancePlot(EXPLAINED)])]
    sections += [_section(name, [_line_plot(panel) for panel in panels]) for name, panels in SECTIONS.items()]
    return Workspace(
        entity=entity,
        project=project,
        name="TEM VAE",
        sections=sections,
        settings=WorkspaceSettings(x_axis=UPDATES),
    )


def render_json(workspace: Workspace) -> str:
    """The workspace as the JSON that wandb would be sent."""
    # The library has no public way to serialise without a network; its version is pinned for that.
    model = workspace._to_model()
    return json.dumps(json.loads(model.model_dump_json(by_alias=True, exclude_none=True)), indent=2)


def _section(name: str, panels: Sequence[AnyPanel]) -> Section:
    rows = -(-len(panels) // _COLUMNS)
    return Section(
        name=name,
        panels=list(panels),
        is_open=True,
        layout_settings=SectionLayoutSettings(columns=_COLUMNS, rows=rows),
    )


def _line_plot(panel: Panel) -> LinePlot:
    return LinePlot(
        title=panel.title,
        x=UPDATES,
        y=list(panel.keys),
        metric_regex=panel.regex or None,
        log_y=panel.log_scale or None,
    )


def _parallel_coordinates() -> ParallelCoordinatesPlot:
    metrics: list[Config | SummaryMetric] = [Config(key) for key in SWEPT]
    metrics += [SummaryMetric(name) for name in RESULTS]
    return ParallelCoordinatesPlot(
        title="What the sweep varied, and what came of it",
        columns=[ParallelCoordinatesPlotColumn(metric=metric) for metric in metrics],
    )
