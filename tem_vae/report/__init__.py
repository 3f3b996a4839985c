"""Figures of a trained model. `gallery` lists them; each is measured, drawn and described in one file."""
