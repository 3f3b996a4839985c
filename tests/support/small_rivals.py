"""The rivals that are tested, and how many steps their walks have."""

from collections.abc import Callable

from tem_vae.studies.rivals.catalogue import RIVALS
from tem_vae.studies.rivals.contract import Forecaster
from tem_vae.studies.rivals.networks import NetworkRival

STEPS = 60  # longer than a rollout of TEM, and than clones go on without learning
NETWORKS = [name for name, rival in RIVALS.items() if isinstance(rival, NetworkRival) and not rival.own_walks]
BuildRival = Callable[[str], Forecaster]
