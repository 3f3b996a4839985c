"""Time and memory of several tasks, measured side by side: interleaved rounds, ratios, peak memory."""

import json
import math
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

Task = Callable[[], object]
_SHORTEST_BLOCK = 0.02
_FEWEST_ROUNDS = 3


def interleave(
    tasks: Mapping[str, Task], repeats: int, device: torch.device, budget: float = math.inf
) -> dict[str, list[float]]:
    """Time every task once in every round, so that other load on the machine slows all tasks alike.

    A task too short for the clock is called many times in a round.

    Args:
        tasks: The tasks by name.
        repeats: The number of rounds. Every task warms up before the first.
        device: The device that the tasks run on.
        budget: Seconds after which no new round starts; there are three rounds in any case.

    Returns:
        Seconds for one call, by name, one number for each round.
    """
    calls = {name: _calls_in_a_block(task, device) for name, task in tasks.items()}
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    start = time.perf_counter()
    for done in range(repeats):
        if done >= _FEWEST_ROUNDS and time.perf_counter() - start > budget:
            break
        for name, task in tasks.items():
            seconds[name].append(_time(task, calls[name], device) / calls[name])
    return seconds


def ratio(rival: list[float], ours: list[float]) -> float:
    """How many times longer a rival takes: the median over rounds of the ratio within a round."""
    return statistics.median(theirs / mine for theirs, mine in zip(rival, ours, strict=True))


def peak_allocation(task: Task, device: torch.device) -> int:
    """The most bytes that one call holds in tensors at any moment, without those held before it."""
    task()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        task()
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        task()
    return max(accumulate(_allocations(profiler)), default=0)


def describe_machine(device: torch.device) -> str:
    """The machine and the torch version, in one line."""
    cpu = f"{os.cpu_count()} CPU cores ({platform.machine()}), torch {torch.__version__}"
    return cpu if device.type == "cpu" else f"{torch.cuda.get_device_name(device)}, {cpu}"


def write_results(name: str, page: str, results: object, folder: Path | None) -> None:
    """Print the page of a suite, and write it and its numbers.

    Args:
        name: Of the files, name.md and name.json.
        page: The page, in Markdown.
        results: All numbers, as JSON takes them.
        folder: Where to write; None to print only.
    """
    print(page)
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(page, encoding="utf-8")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """A context in which torch computes on that many CPU threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _allocations(profiler: profile) -> list[int]:
    """Bytes of every allocation in order of time; negative for memory that is freed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    memory = sorted(
        (event for event in events if event.get("name") == "[memory]"), key=lambda event: event["ts"]
    )
    return [event["args"]["Bytes"] for event in memory]


def _calls_in_a_block(task: Task, device: torch.device) -> int:
    if _time(task, 1, device) > 1:
        return 1
    return max(1, round(_SHORTEST_BLOCK / _time(task, 1, device)))


def _time(task: Task, calls: int, device: torch.device) -> float:
    """Seconds that a number of calls take together."""
    _synchronize(device)
    start = time.perf_counter()
    for _ in range(calls):
        task()
    _synchronize(device)
    return time.perf_counter() - start


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
