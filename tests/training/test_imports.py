"""A run loads no more than it uses: figures and wandb take seconds, and memory in every job of a sweep."""

import json
import subprocess
import sys
from pathlib import Path

from short_runs import SHORT_RUN

REPOSITORY = Path(__file__).parents[2]
LIST_MODULES = """
import atexit, json, pathlib, runpy, sys
modules, *sys.argv = sys.argv[1:]
atexit.register(lambda: pathlib.Path(modules).write_text(json.dumps(list(sys.modules))))
"""
# It needs torchmetrics, which loads matplotlib.
LIGHTNING = "import lightning.pytorch.callbacks, lightning.pytorch.loggers"
SCRIPT = "runpy.run_path(sys.argv[0], run_name='__main__')"


def loaded(program: str, modules: Path, *arguments: str) -> set[str]:
    command = [sys.executable, "-c", f"{LIST_MODULES}\n{program}", str(modules), *arguments]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return set(json.loads(modules.read_text()))


def test_a_run_that_logs_nowhere_loads_neither_wandb_nor_figures(tmp_path: Path) -> None:
    overrides = (*SHORT_RUN, f"run_dir={tmp_path}/run", "trainer.max_steps=2", "trainer.val_check_interval=1")
    found = loaded(SCRIPT, tmp_path / "run.json", "scripts/train.py", *overrides)
    assert "tem_vae.training.callbacks.validation" in found
    drawing = ("wandb", "matplotlib", "PIL", "tem_vae.report", "tem_vae.sweeps.figures", "tem_vae.studies")
    needless = {name for name in found if name.startswith(drawing)}
    assert needless <= loaded(LIGHTNING, tmp_path / "lightning.json")
