"""Percept sources: what a place of a given class looks like on a visit. One file a source."""

from tem_vae.data.percepts.digits import Digits
from tem_vae.data.percepts.source import FloatPercepts, PerceptSource, References, Split
from tem_vae.data.percepts.symbols import Symbols

__all__ = ["Digits", "FloatPercepts", "PerceptSource", "References", "Split", "Symbols"]
