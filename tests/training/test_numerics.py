"""A NaN or an infinity stops a run and leaves what is needed to find out why."""

from pathlib import Path

import pytest
import torch
from short_runs import short_config

from tem_vae.training.module import TemVaeModule
from tem_vae.training.numerics import NonFiniteError, check_finite
from tem_vae.training.run import train


def test_finite_values_pass_even_where_their_sum_overflows() -> None:
    check_finite("terms", 3, {"a": torch.full((4,), 3e38), "b": torch.zeros(2)})


@pytest.mark.parametrize(
    ("bad", "kind"), [(torch.nan, "NaN"), (torch.inf, "infinite"), (-torch.inf, "infinite")]
)
def test_every_bad_value_is_named(bad: float, kind: str) -> None:
    named = {"a": torch.tensor([1.0, bad, 2.0]), "b": torch.zeros(2), "c": torch.tensor([bad])}
    message = rf"update 3: terms not finite: a \({kind} in 1 of 3 values\), c \({kind} in 1 of 1 values\)$"
    with pytest.raises(NonFiniteError, match=message):
        check_finite("terms", 3, named)


def test_a_bad_percept_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = TemVaeModule.training_step

    def training_step(self, batch, batch_idx):
        if self.global_step == 6:
            batch.percepts[0, 5, 0] = torch.inf
        return step(self, batch, batch_idx)

    monkeypatch.setattr(TemVaeModule, "training_step", training_step)
    with pytest.raises(NonFiniteError, match=r"update 6: terms of the bound .* reconstruction \(") as caught:
        train(short_config(tmp_path), tmp_path)
    note = "\n".join(caught.value.__notes__)
    assert str(tmp_path / "checkpoints" / "last.ckpt") in note
    saved = torch.load(tmp_path / "non_finite.pt", weights_only=True)
    assert saved["update"] == 6
    assert saved["batch"]["percepts"].isinf().nonzero().tolist() == [[0, 5, 0]]
    assert all(weights.isfinite().all() for weights in saved["state_dict"].values())
    assert torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 4


def test_a_bad_gradient_stops_the_run_before_it_reaches_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_after_backward(self):
        if self.global_step == 2:
            self.model.metric.weight.grad[0, 0] = torch.inf

    monkeypatch.setattr(TemVaeModule, "on_after_backward", on_after_backward)
    with pytest.raises(
        NonFiniteError, match=r"update 2: gradients .* model.metric.weight \(infinite in 1 of"
    ):
        train(short_config(tmp_path), tmp_path)
    saved = torch.load(tmp_path / "non_finite.pt", weights_only=True)
    assert all(weights.isfinite().all() for weights in saved["state_dict"].values())


@pytest.mark.parametrize("precision", ["bf16-mixed", "64-true"])
def test_other_precisions_train_as_float32_does(precision: str, tmp_path: Path) -> None:
    runs = {
        p: train(short_config(tmp_path / p, f"trainer.precision={p}"), tmp_path / p)
        for p in ("32-true", precision)
    }
    elbo, expected = (metrics["test/elbo"] for metrics in runs.values())
    # 40 updates of noise from the same generator: float64 draws others than float32, so only nearness is due.
    assert elbo == pytest.approx(expected, abs=2.0)
