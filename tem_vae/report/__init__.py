"""The numbers that the figures show, each kind in a module of its own; nothing here draws."""
