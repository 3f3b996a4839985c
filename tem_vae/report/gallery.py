"""The figures of a trained model, in the order of the report."""

from collections.abc import Callable
from dataclasses import dataclass

from tem_vae.data import Walks
from tem_vae.report.figures.accuracy import illustrate_accuracy
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


@dataclass(frozen=True)
class Entry:
    """A figure in the gallery.

    Attributes:
        name: Of the figure and its files.
        illustrate: Measures, draws and describes it.
        needs: Fields of the walks without which there is nothing to draw.
        while_training: Whether it is also drawn in the course of training: it needs one batch of walks only.
    """

    name: str
    illustrate: Callable[[Subject], Illustration]
    needs: tuple[str, ...] = ()
    while_training: bool = False

    def missing(self, walks: Walks) -> list[str]:
        """The fields that the figure needs and the walks do not have."""
        return [field for field in self.needs if getattr(walks, field) is None]


GALLERY = (
    Entry("walk", illustrate_walk, ("places", "classes", "positions"), while_training=True),
    Entry("accuracy", illustrate_accuracy, ("places", "classes")),
    Entry("neighborhoods", illustrate_neighborhoods, while_training=True),
    Entry("spectra", illustrate_spectra, while_training=True),
    Entry("distances", illustrate_distances, ("places", "classes")),
    Entry("path_integration", illustrate_path_integration, ("places",), while_training=True),
    Entry("rate_maps", illustrate_rate_maps, ("places", "classes", "positions"), while_training=True),
    Entry("world_map", illustrate_world_map, ("places", "positions")),
    Entry("novelty", illustrate_novelty, ("places",)),
    Entry("training", illustrate_training),
)
