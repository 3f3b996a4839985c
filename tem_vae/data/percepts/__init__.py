"""Percept sources: they draw a percept of a given class. One file for each source."""

from tem_vae.data.percepts.digits import Digits
from tem_vae.data.percepts.sentences import Sentences
from tem_vae.data.percepts.symbols import Symbols

__all__ = ["Digits", "Sentences", "Symbols"]
