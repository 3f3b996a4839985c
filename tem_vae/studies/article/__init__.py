"""The article's experiments run with its published formulas and with the corrected ones."""
