"""Measure time and memory, side by side with other ways to do the same. Needs a clone of the repository."""

import argparse

from tem_vae.runs.output import keep_printing
from tem_vae.studies.benchmarks import (
    compiled,
    geometry,
    long_walk,
    memory,
    observer,
    training,
    versions,
    whole,
)

# Each suite is a module with `add_arguments(parser)` and `run(arguments)`.
_SUITES = {
    "compiled": compiled,
    "geometry": geometry,
    "training": training,
    "memory": memory,
    "observer": observer,
    "long_walk": long_walk,
    "versions": versions,
    "whole": whole,
}


def main() -> None:
    """Run the suite that the command line names."""
    keep_printing()
    parser = argparse.ArgumentParser(description=__doc__)
    suites = parser.add_subparsers(dest="suite", required=True)
    for name, suite in _SUITES.items():
        suite.add_arguments(suites.add_parser(name, help=suite.__doc__, description=suite.__doc__))
    arguments = parser.parse_args()
    _SUITES[arguments.suite].run(arguments)


if __name__ == "__main__":
    main()
