"""One file a figure: `illustrate_x` measures, draws and describes it, and the same file holds how."""
