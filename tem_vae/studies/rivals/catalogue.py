"""Who takes part, by the name that ``models=`` takes."""

from tem_vae.studies.rivals.agents import AgentRival
from tem_vae.studies.rivals.clones import CloneRival
from tem_vae.studies.rivals.contract import Rival
from tem_vae.studies.rivals.lstm import LstmNetwork
from tem_vae.studies.rivals.mapformer import MapFormerNetwork
from tem_vae.studies.rivals.networks import NetworkRival
from tem_vae.studies.rivals.ours import TemVaeRival
from tem_vae.studies.rivals.tem import TemNetwork
from tem_vae.studies.rivals.transformer import TransformerNetwork

RIVALS: dict[str, Rival] = {
    "tem_vae": TemVaeRival("TEM VAE (ours)"),
    "tem_vae_recipe": TemVaeRival("TEM VAE (ours), longer runs", own_walks=True),
    "mapformer": NetworkRival("MapFormer-like", MapFormerNetwork, "Rambaud et al. 2025"),
    "mapformer_recipe": NetworkRival(
        "MapFormer-like, longer runs", MapFormerNetwork, "Rambaud et al. 2025", own_walks=True
    ),
    "transformer": NetworkRival("transformer", TransformerNetwork, "Vaswani et al. 2017, Su et al. 2021"),
    "lstm": NetworkRival("LSTM", LstmNetwork, "Hochreiter & Schmidhuber 1997"),
    "tem": NetworkRival("TEM", TemNetwork, "Whittington et al. 2020"),
    "clones": CloneRival(),
    "knows_places": AgentRival("agent told the place", "places"),
    "knows_links": AgentRival("agent that remembers links", "links"),
    "majority": AgentRival("majority so far", "majority"),
    "last": AgentRival("copy of the last percept", "last"),
}
