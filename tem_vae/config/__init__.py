"""Everything that refuses: schemas, the command line, and what a configuration is built into."""
