"""What figures show, measured."""
