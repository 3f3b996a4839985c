"""The article's experiments run again, under its published formulas and under the ones that hold."""
