"""Make walks along real paths of rats: ``scripts/make_rat_walks.py out=rat.h5``.

Keys: ``rat``, ``out``, ``rate``, ``steps``, ``sessions``, ``cells``, ``width``, ``noise`` and ``seed``: see
docs/data.md.
"""

import sys

from hydra.errors import HydraException

from tem_vae.config.job import CONFIGURATION_WRONG, DONE
from tem_vae.config.rat_walks import RatWalksConfig, read_arguments
from tem_vae.errors import ConfigurationError
from tem_vae.runs.output import keep_printing


def main() -> int:
    """Make the walks; returns the exit status."""
    keep_printing()
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        return DONE
    try:
        make(read_arguments())
    except (ConfigurationError, HydraException) as error:
        print(error, file=sys.stderr)
        return CONFIGURATION_WRONG
    return DONE


def make(config: RatWalksConfig) -> None:
    """Make the walks and say where they are."""
    # Torch takes seconds to load: what is wrong with the command line was said before.
    from tem_vae.data import save_walks
    from tem_vae.data.recorded.rat_walks import cut, load_track, resample, walks_of

    paths = cut(resample(load_track(config.rat), config.rate), config.steps)
    walks, worlds = walks_of(paths, config.sessions, config.cells, config.width, config.noise, config.seed)
    # One world for all walks along a path, so that no path is both trained and tested on.
    save_walks(config.out, walks, worlds=worlds)
    print(f"{len(walks.mask):,} walks of {config.steps:,} steps each, written to {config.out}")


if __name__ == "__main__":
    sys.exit(main())
