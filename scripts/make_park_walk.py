"""Make a walk of a drive in Victoria Park, or in simulated parks: ``scripts/make_park_walk.py out=park.h5``.

Keys: ``out``, ``parks``, ``length``, ``drift``, ``heading``, ``calibration``, ``spacing``, ``trail``,
``reach``, ``cells``, ``width`` and ``seed``: see docs/park.md.
"""

import sys

from tem_vae.config.launch import launch_plain
from tem_vae.config.new_walks import ParkWalkConfig


def make(config: ParkWalkConfig) -> None:
    """Make the walks and say where they are."""
    # Torch takes seconds to load: what is wrong with the command line was said before.
    from tem_vae.data import save_walks
    from tem_vae.data.recorded.park_walks import Eye, real_walk, simulated_walks

    eye = Eye(config.spacing, config.trail, config.reach, config.cells, config.width)
    if config.parks:
        walks = simulated_walks(config.parks, config.length, config.drift, eye, config.seed)
    else:
        walks = real_walk(eye, config.heading, config.calibration)
    save_walks(config.out, walks)
    number, steps = walks.mask.shape
    print(f"{number:,} walks of at most {steps:,} steps each, written to {config.out}")


if __name__ == "__main__":
    sys.exit(launch_plain(make, "park_walk", ParkWalkConfig, str(__doc__)))
