"""Record walks in an environment of Gymnasium: ``scripts/record_walks.py env=CartPole-v1 out=walks.h5``.

Keys: ``env`` and ``out``; ``walks``, ``steps``, ``policy``, ``copies`` and ``seed``. See docs/data.md.
"""

import sys

from hydra.errors import HydraException
from rich.progress import Progress

from tem_vae.config.job import CONFIGURATION_WRONG, DONE
from tem_vae.config.record import RecordConfig, read_arguments
from tem_vae.errors import ConfigurationError
from tem_vae.runs.interruption import Interrupted, interruptible
from tem_vae.runs.output import keep_printing


def main() -> int:
    """Record; returns the exit status."""
    keep_printing()
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        return DONE
    try:
        with interruptible():
            record(read_arguments())
    except (ConfigurationError, HydraException) as error:
        print(error, file=sys.stderr)
        return CONFIGURATION_WRONG
    except Interrupted as interrupted:
        print(f"Recording was {interrupted}; nothing of it is kept.", file=sys.stderr)
        return interrupted.exit_status
    return DONE


def record(config: RecordConfig) -> None:
    """Record and say where."""
    # Torch takes seconds to load: what is wrong with the command line was said before.
    from tem_vae.data.recorded.gymnasium_walks import Recorder, record_walks

    recorder = Recorder(config.env, config.copies)
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
    sys.exit(main())
