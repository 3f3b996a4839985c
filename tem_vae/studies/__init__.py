"""Studies made with the package: in the repository, not in the wheel, and needed by nothing else."""
