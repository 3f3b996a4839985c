"""Other models on the same walks, with the same scores: scripts/compare.py runs them."""
