"""An LSTM: what it knows of a walk must fit in one vector (Hochreiter & Schmidhuber 1997)."""

from torch import Tensor, nn

from tem_vae.studies.rivals.predictor import Hidden, PastTokens


class LstmNetwork(nn.Module):
    """One layer of torch's LSTM over tokens of percept and action.

    Args:
        width: Of its state.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.tokens = PastTokens(width)
        self.lstm = nn.LSTM(width, width, batch_first=True)

    def forward(self, codes: Tensor, moves: Tensor) -> Hidden:
        """States before every step, (batch, time, width)."""
        return Hidden(self.lstm(self.tokens(codes, moves))[0])
