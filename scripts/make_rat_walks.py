"""Make walks along real paths of rats: ``scripts/make_rat_walks.py out=rat.h5``.

Keys: ``rat``, ``out``, ``rate``, ``steps``, ``sessions``, ``cells``, ``width``, ``noise`` and ``seed``: see
docs/data.md.
"""

import sys

from tem_vae.config.launch import launch_plain
from tem_vae.config.new_walks import RatWalksConfig


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
    sys.exit(launch_plain(make, "rat_walks", RatWalksConfig, str(__doc__)))
