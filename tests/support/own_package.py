"""A package of the user's own: the percept source of docs/data.md, and corridors as worlds."""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hydra import initialize_config_dir
from short_runs import SHORT_RUN

from tem_vae.config.command_line import CONF, read_run
from tem_vae.config.training import TrainConfig

PERCEPTS = "my_package.percepts:Colours"
WORLDS = "my_package.worlds:Corridors"
OWN_RUN = (
    "data=plugin",
    "data/percepts=plugin",
    f"data.percepts.target={PERCEPTS}",
    f"data.world.target={WORLDS}",
    "plugins=[my_package]",
    *(override for override in SHORT_RUN if not override.startswith("data.world")),
)

CORRIDORS = """
import numpy as np

from tem_vae.worlds import NO_LINK, World, Worlds


class Corridors:
    actions = ("stay", "ahead", "back")

    def __init__(self, length=6):
        places = np.arange(length)
        links = np.stack([places, places + 1, places - 1], axis=1)
        links[links == length] = NO_LINK
        self.world = World(links, np.stack([places, 0.0 * places], axis=1))

    def sample(self, batch, rng):
        return Worlds.stack([self.world] * batch)
"""


def example_of_the_page() -> str:
    """The last example in Python of docs/data.md."""
    page = (CONF.parent / "docs" / "data.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)[-1]


@contextmanager
def importable(folder: Path, modules: Mapping[str, str]) -> Iterator[Path]:
    """A package in a folder that Python looks into; afterwards it is as if it had never been.

    Args:
        folder: Where it lies.
        modules: What its modules hold, by their names with points.
    """
    roots = {name.partition(".")[0] for name in modules}
    for name, text in modules.items():
        file = folder.joinpath(*name.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    sys.path.insert(0, str(folder))
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] in roots]:
            del sys.modules[name]


@contextmanager
def own_package(folder: Path) -> Iterator[Path]:
    """``my_package`` with a percept source and a world source."""
    modules = {"my_package.percepts": example_of_the_page(), "my_package.worlds": CORRIDORS}
    with importable(folder, modules) as where:
        yield where


def compose_own_run(*overrides: str) -> TrainConfig:
    """The shortest training run on percepts and worlds of ``my_package``, with changes."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return read_run([*OWN_RUN, *overrides], "train", TrainConfig)[1]
