"""Scores of a trained model, the baselines beside them, and the spectrum of its metric."""
