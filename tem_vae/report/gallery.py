"""The figures of a trained model, in the order of the report."""

from collections.abc import Callable
from typing import NamedTuple

from tem_vae.model import TemVae
from tem_vae.report.figures.accuracy import illustrate_accuracy
from tem_vae.report.figures.belief import illustrate_belief
from tem_vae.report.figures.distances import illustrate_distances
from tem_vae.report.figures.neighborhoods import illustrate_neighborhoods
from tem_vae.report.figures.novelty import illustrate_novelty
from tem_vae.report.figures.path_integration import illustrate_path_integration
from tem_vae.report.figures.rate_maps import illustrate_rate_maps
from tem_vae.report.figures.spectra import illustrate_spectra
from tem_vae.report.figures.training import illustrate_training
from tem_vae.report.figures.walk import illustrate_walk
from tem_vae.report.figures.world_map import illustrate_world_map
from tem_vae.report.illustration import Illustration
from tem_vae.report.subject import Subject


class Entry(NamedTuple):
    """A figure in the gallery.

    Attributes:
        name: Of the figure and its files.
        illustrate: Measures, draws and describes it; raises `UnknownTruthError` if it needs a part of the
            truth that the walks do not have.
        while_training: Whether it is drawn in the course of training, too: one batch of walks is enough.
    """

    name: str
    illustrate: Callable[[Subject], Illustration]
    while_training: bool = False


GALLERY = (
    Entry("walk", illustrate_walk, while_training=True),
    Entry("accuracy", illustrate_accuracy),
    Entry("neighborhoods", illustrate_neighborhoods, while_training=True),
    Entry("spectra", illustrate_spectra, while_training=True),
    Entry("distances", illustrate_distances),
    Entry("path_integration", illustrate_path_integration, while_training=True),
    Entry("rate_maps", illustrate_rate_maps, while_training=True),
    Entry("world_map", illustrate_world_map),
    Entry("novelty", illustrate_novelty),
    Entry("training", illustrate_training),
)

BELIEF = Entry("belief", illustrate_belief)


def gallery_of(model: TemVae) -> tuple[Entry, ...]:
    """The figures that say something about a model."""
    return GALLERY if model.belief is None else (*GALLERY, BELIEF)
