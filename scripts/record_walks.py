"""Record walks in an environment of Gymnasium: ``scripts/record_walks.py env=CartPole-v1 out=walks.h5``.

Keys: ``env`` and ``out``; ``arguments``, ``moves``, ``pixels``, ``walks``, ``steps``, ``policy``, ``copies``
and ``seed``. See docs/data.md.
"""

import sys

from rich.progress import Progress

from tem_vae.config.launch import launch_plain
from tem_vae.config.new_walks import RecordConfig


def record(config: RecordConfig) -> None:
    """Record and say where."""
    # Torch takes seconds to load: what is wrong with the command line was said before.
    from tem_vae.data.recorded.gymnasium_walks import Recorder, record_walks

    recorder = Recorder(config.env, config.copies, config.arguments, config.moves, config.pixels)
    written = 0
    with Progress(disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task("Walks", total=config.walks)

        def advance(steps: int) -> None:
            nonlocal written
            written += steps
            progress.advance(task)

        record_walks(recorder, config.out, config.walks, config.steps, config.seed, advance)
    recorder.close()
    print(f"{config.walks:,} walks of {written:,} steps in all, written to {config.out}")


if __name__ == "__main__":
    sys.exit(launch_plain(record, "record_walks", RecordConfig, str(__doc__)))
