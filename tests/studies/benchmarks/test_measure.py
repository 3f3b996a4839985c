"""Timing and memory of tasks whose cost is known."""

import time

import pytest
import torch

from tem_vae.studies.benchmarks.measure import interleave, peak_allocation, ratio, threads

CPU = torch.device("cpu")


def test_rounds_are_interleaved() -> None:
    calls: list[str] = []

    def task(name: str) -> None:
        calls.append(name)
        time.sleep(0.03)

    seconds = interleave({"a": lambda: task("a"), "b": lambda: task("b")}, repeats=3, device=CPU)
    assert "".join(calls[-6:]) == "ababab"
    assert [len(times) for times in seconds.values()] == [3, 3]
    assert all(value >= 0.03 for times in seconds.values() for value in times)


def test_short_tasks_are_called_many_times_a_round() -> None:
    calls = []
    interleave({"short": lambda: calls.append(None)}, repeats=1, device=CPU)
    assert len(calls) > 100


def test_three_rounds_are_timed_when_the_budget_is_spent() -> None:
    seconds = interleave({"a": lambda: time.sleep(0.03)}, repeats=10, device=CPU, budget=0.0)
    assert len(seconds["a"]) == 3


def test_ratio_is_the_median_over_rounds() -> None:
    assert ratio([2.0, 9.0, 40.0], [1.0, 3.0, 1.0]) == 3.0


def test_peak_counts_what_is_held_at_once() -> None:
    def task() -> None:
        first = torch.empty(1000, 100)
        second = torch.empty(2000, 100)
        del first
        third = torch.empty(500, 100)
        del second, third

    assert peak_allocation(task, CPU) == 3000 * 100 * 4


def test_peak_of_nothing_is_zero() -> None:
    assert peak_allocation(lambda: None, CPU) == 0


def test_threads_are_put_back_even_after_an_error() -> None:
    before = torch.get_num_threads()

    def fail() -> None:
        with threads(before + 1):
            assert torch.get_num_threads() == before + 1
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert torch.get_num_threads() == before
