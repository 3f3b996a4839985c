"""Studies made with the package; in the repository, not in the wheel."""
