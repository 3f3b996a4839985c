"""Checkpoints of earlier versions score what they scored."""

import json
from pathlib import Path

import pytest

from tem_vae.data import HeldOutWalks
from tem_vae.evaluation.run import build_tester_trainer
from tem_vae.evaluation.tester import score
from tem_vae.evaluation.trained import load_run
from tem_vae.training.datamodule import build_data

VERSIONS = sorted(Path(__file__).parent.glob("version_*"))


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: folder.name)
def test_an_older_checkpoint_scores_the_same(folder: Path, tmp_path: Path) -> None:
    """The folder holds a run of 20 updates, as that version wrote it."""
    run = load_run(folder)
    walks: HeldOutWalks = build_data(run.config.data, run.config.seed, updates=1).test
    found = score(run, walks, build_tester_trainer(tmp_path))
    expected = json.loads((folder / "metrics.json").read_text())
    # Version 0.1.0 projected codes of a trained encoder on a subspace of percepts, which means nothing.
    meaningless = {"test/relevant_share_E", "test/relevant_share_whitening"}
    assert all(found[name] is None for name in meaningless)
    tests = {name: expected[name] for name in expected.keys() - meaningless if name.startswith("test")}
    assert len(tests) > 38
    assert {name: found[name] for name in tests} == pytest.approx(tests, abs=1e-6)
