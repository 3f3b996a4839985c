"""Whatever is wrong with a configuration is told: all of it at once, in words, before anything is built."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from composed import check
from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from malformed_configurations import jobs, malformed_configurations
from recorded_walks import OF_EXPERIMENTS
from refusals import Malformed, refuse

from tem_vae.config import job
from tem_vae.config.command_line import CONF, read_run
from tem_vae.config.training import TrainConfig
from tem_vae.errors import ConfigurationError
from tem_vae.runs.checkpoint import CONFIG_KEY


@pytest.fixture(scope="module")
def malformed(tmp_path_factory: pytest.TempPathFactory) -> list[Malformed]:
    folder = tmp_path_factory.mktemp("malformed")
    return malformed_configurations(24, folder, seed=1)


def test_defaults_are_right() -> None:
    check()
    check("data/percepts=symbols", "data.world.height=5", "++trainer.max_steps=3", "hydra.job.chdir=true")
    check("~experiment")


@pytest.mark.parametrize("file", sorted((CONF / "experiment").rglob("*.yaml")), ids=lambda path: path.stem)
def test_experiments_are_right(file: Path, tmp_path: Path) -> None:
    made = OF_EXPERIMENTS.get(file.stem)
    walks = [f"data.path={made(tmp_path / 'walks.h5')}"] if made else []
    check(f"experiment={file.relative_to(CONF / 'experiment').with_suffix('')}", *walks)


def test_every_malformed_configuration_is_refused(malformed: list[Malformed]) -> None:
    accepted = []
    for case in malformed:
        if not case.in_sweep:
            try:
                check(*case.arguments, script=case.script)
            except ConfigurationError as error:
                if case.named in str(error):
                    continue
            accepted.append(case)
    assert accepted == []


def test_the_other_job_of_a_sweep_goes_on(tmp_path: Path) -> None:
    case = next(jobs())
    assert refuse(case, tmp_path).faults(case) == []


def test_what_jobs_of_a_sweep_refuse_is_left_to_them(malformed: list[Malformed]) -> None:
    cases = [case for case in malformed if case.in_sweep]
    assert cases
    for case in cases:
        check(*case.arguments, script=case.script)


def test_all_problems_are_in_one_message() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check(
            "model.metric.rnak=3",
            "+seeds=1",
            "logger=carrier_pigeon",
            "model.metric.tau=-1",
            "model.neighborhood.scale=nan",
            "data.world.height=[8,5]",
            "trainer.precision=8-bit",
            "resume=true",
        )
    lines = str(caught.value).splitlines()
    assert lines[0] == "The configuration has 8 problems:"
    starts = (
        "  logger = carrier_pigeon: must be one of csv, none, wandb",
        "  data.world.height = [8, 5]: must be a whole number >= 1, or [min, max]",
        "  model.metric.tau = -1: must be greater than or equal to 0",
        "  model.metric.rnak = 3: there is no such key; did you mean rank?",
        "  model.neighborhood.scale = NaN: must be a finite number",
        "  trainer.precision = 8-bit: must be '32-true', '64-true' or 'bf16-mixed'",
        "  seeds = 1: there is no such key; did you mean seed?",
        "  resume = true needs run_dir",
    )
    for start in starts:
        assert any(line.startswith(start) for line in lines), f"{start!r} is not in {caught.value}"


def test_a_key_of_another_kind_is_named_as_such() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check("data=ring", "data.world.height=4", "seed=-1")
    lines = str(caught.value).splitlines()
    assert lines[0] == "The configuration has 2 problems:"
    assert lines[1] == (
        "  data.world.height = 4: kind = ring has no height, only rectangular, torus, obstructed. "
        "Allowed here: kind, places"
    )


def test_walks_without_their_kind_are_told_how_to_choose_it() -> None:
    with pytest.raises(ConfigurationError, match="has no path, only walks, which data=walks chooses"):
        check("data.path=my_walks.h5")


def test_a_default_of_another_kind_does_not_count_and_a_given_key_of_one_is_refused() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        overrides = ["data/percepts=symbols", "model.encoder.kind=identity"]
        config = read_run(overrides, "train", TrainConfig)[1]
        assert config.model.encoder.model_dump() == {"kind": "identity"}
        with pytest.raises(
            ConfigurationError, match="hidden_dim = 8: kind = identity has no hidden_dim, only auto, mlp"
        ):
            read_run([*overrides, "model.encoder.hidden_dim=8"], "train", TrainConfig)


@pytest.mark.parametrize(
    ("script", "arguments"), [("train.py", ()), ("evaluate.py", ("checkpoint=nowhere.ckpt",))]
)
def test_a_renamed_key_is_answered_with_its_name_of_today(script: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match=r"data.momentum = 0.5: is now data.policy.momentum"):
        check(*arguments, "data.momentum=0.5", script=script)


def test_configurations_that_version_0_1_0_stored_are_valid() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        had = ["model.encoder.kind=identity", "model.code_dim=64", "model.decoder.kind=mlp"]
        config = read_run(had, "train", TrainConfig)[1]
    stored = config.model_dump(mode="json")
    del stored["data"]["policy"], stored["data"]["blank"]
    del stored["model"]["decoder"]["kind"], stored["model"]["path_integration"]["kind"]
    del stored["model"]["decoder"]["likelihood"], stored["model"]["decoder"]["learn_noise"]
    stored["data"]["momentum"] = 0.5
    stored["model"]["encoder"]["hidden_dim"] = 256
    assert TrainConfig.model_validate(stored) == config


def test_a_valid_run_is_composed_once_and_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    load, examine = ConfigLoaderImpl.load_configuration, TrainConfig.model_validate

    def counted_load(*arguments: Any, **options: Any) -> Any:
        calls.append("composed")
        return load(*arguments, **options)

    def counted_examine(*arguments: Any, **options: Any) -> Any:
        calls.append("checked")
        return examine(*arguments, **options)

    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", counted_load)
    monkeypatch.setattr(TrainConfig, "model_validate", counted_examine)
    check("data=ring", "data.world.places=5", "seed=1")
    assert calls == ["composed", "checked"]


def test_a_sweep_checks_keys_and_leaves_values_to_its_jobs() -> None:
    check("-m", "model.metric.rank=-1,4")
    with pytest.raises(ConfigurationError, match="rnak = -1: there is no such key"):
        check("-m", "model.metric.rnak=-1,4", "seed=-1")
    check("-m", "experiment=symbols,nonesuch")
    with pytest.raises(ConfigurationError, match=r"experiment = nonesuch: must be one of .*symbols"):
        check("-m", "experiment=nonesuch,another")


def test_a_key_that_stands_deeper_is_suggested() -> None:
    with pytest.raises(ConfigurationError, match=r"rank = 4: .* did you mean model.metric.rank\?"):
        check("rank=4")


@pytest.mark.parametrize("values", ["interval(0.1,1.0)", "tag(log,interval(1e-4,1.0))", "range(1,4)", "1,2"])
def test_whatever_a_sweeper_can_sweep_is_let_through(values: str) -> None:
    check("-m", f"model.metric.tau={values}")


def test_a_choice_that_other_overrides_need_is_refused_before_the_sweep() -> None:
    check("-m", "data=ring,nonesuch")
    with pytest.raises(ConfigurationError, match=r"data = nonesuch: must be one of .*ring"):
        check("-m", "data=ring,nonesuch", "data.walk_length=7")
    with pytest.raises(ConfigurationError, match=r"world.height = 5: kind = ring has no height"):
        check("-m", "data=lattice,ring", "data.world.height=5")


def test_a_choice_misspelt_in_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\ndefaults:\n  - override /data/percepts: glyphs\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"data/percepts = glyphs: must be one of digits, "):
        check("--config-dir", str(tmp_path), "experiment=mine")


def test_a_malformed_world_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("[")
    with pytest.raises(ConfigurationError) as caught:
        check("data=graph", f"data.world.file={tmp_path / 'mine.json'}")
    assert str(caught.value).splitlines()[0] == "The configuration has 1 problem:"
    assert str(caught.value).count("mine.json is no JSON") == 1


def test_a_folder_of_ones_own_is_searched(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\nmodel: {metric: {rnak: 3}}\n")
    with pytest.raises(ConfigurationError, match=r"model.metric.rnak = 3: .* did you mean rank\?"):
        check("--config-dir", str(tmp_path), "experiment=mine")


def test_a_refusal_is_quick_and_writes_nothing(tmp_path: Path) -> None:
    case = Malformed("misspelt key", "did you mean seed?", ("sede=1",))
    refusal = refuse(case, tmp_path)
    assert refusal.status == 2
    assert refusal.message == (
        "The configuration has 1 problem:\n  sede = 1: there is no such key; did you mean seed? "
        f"Allowed here: {', '.join(TrainConfig.model_fields)}\n"
    )
    assert refusal.wrote == []


def test_a_refusal_that_takes_torch_leaves_no_folder_behind(tmp_path: Path) -> None:
    checkpoint = tmp_path / "other.ckpt"
    torch.save({CONFIG_KEY: {"trained": "by another version"}}, checkpoint)
    case = Malformed("file", "another version", (f"checkpoint={checkpoint}",), "evaluate.py")
    refusal = refuse(case, tmp_path)
    assert refusal.status == 2
    assert "other.ckpt was not written by this program, or by another version of it" in refusal.message
    assert refusal.wrote == []


def test_checking_loads_no_torch() -> None:
    program = "import sys, tem_vae.config.launch, tem_vae.config.training; print('torch' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


def test_two_runs_of_one_second_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(job, "datetime", SimpleNamespace(now=lambda: datetime(2026, 1, 2, 3, 4, 5)))
    names = []
    for _ in range(3):
        names.append(job.default_run_directory(None))
        Path(names[-1]).mkdir(parents=True)
    assert names == [f"runs/2026-01-02_03-04-05{end}" for end in ("", "_2", "_3")]
    assert job.default_run_directory("runs/mine") == "runs/mine"
