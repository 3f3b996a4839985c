"""Environments of Gymnasium, recorded into a file that can be trained on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tem_vae.config.command_line import CONF
from tem_vae.data.recorded import Recording, check_values, open_recording
from tem_vae.data.recorded.gymnasium_walks import Recorder, record_walks
from tem_vae.errors import ConfigurationError

gymnasium = pytest.importorskip("gymnasium")


class Corridor(gymnasium.Env):
    """Five places in a row; at the last one the episode ends."""

    observation_space = gymnasium.spaces.Dict(
        place=gymnasium.spaces.Discrete(5),
        text=gymnasium.spaces.Text(9),
        glow=gymnasium.spaces.Box(0, 1, (2,)),
    )
    action_space = gymnasium.spaces.Discrete(2, start=3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.agent_pos = (int(self.np_random.integers(4)), 0)
        return self.observe(), {}

    def step(self, action):
        self.agent_pos = (int(np.clip(self.agent_pos[0] + (1 if action == 4 else -1), 0, 4)), 0)
        return self.observe(), 0.0, self.agent_pos[0] == 4, False, {}

    def observe(self):
        glow = np.full(2, self.agent_pos[0] / 4, np.float32)
        return {"place": self.agent_pos[0], "text": "here", "glow": glow}


gymnasium.register("Corridor-v0", Corridor)


def record(env: str, folder: Path, name: str = "walks.h5", walks: int = 5, steps: int = 20) -> Recording:
    recorder = Recorder(env, copies=2)
    record_walks(recorder, folder / name, walks, steps, seed=3)
    recorder.close()
    return open_recording(folder / name)


@pytest.mark.filterwarnings("ignore")
def test_walks_end_with_their_episodes_and_are_the_same_again(tmp_path: Path) -> None:
    recording, again = record("Corridor-v0", tmp_path), record("Corridor-v0", tmp_path, "again.h5")
    assert len(recording.walks) == 5
    assert check_values(recording)[1] == []
    for walk, other in zip(recording.walks, again.walks, strict=True):
        steps = len(walk)
        window = recording.window(walk, 0, steps)
        where = window.positions[0, :, 0].long()
        assert window.places is not None
        assert window.places[0].tolist() == where.tolist()  # the row is 0
        assert window.percepts[0, :, -5:].argmax(dim=1).tolist() == where.tolist()
        moved = np.clip(where[:-1] + np.array([-1, 1])[window.actions[0]], 0, 4)
        assert where[1:].tolist() == moved.tolist()
        assert steps == 21 or where[-1] == 4
        assert not (where[:-1] == 4).any()
        assert np.array_equal(window.percepts, again.window(other, 0, steps).percepts)


@pytest.mark.filterwarnings("ignore")
def test_vectors_and_images_are_kept_as_they_are(tmp_path: Path) -> None:
    recording = record("Pendulum-v1", tmp_path)
    assert recording.percept_shape == (3,)
    assert recording.action_dim == 1
    assert [len(walk) for walk in recording.walks] == [21] * 5


@pytest.mark.filterwarnings("ignore")
def test_states_that_are_numbered_are_places(tmp_path: Path) -> None:
    recording = record("FrozenLake-v1", tmp_path)
    assert recording.percept_shape == (16,)
    window = recording.window(recording.walks[0], 0, len(recording.walks[0]))
    assert window.places is not None
    assert window.places[0].tolist() == window.percepts[0].argmax(dim=1).tolist()


@pytest.mark.parametrize("env", ["NoSuch-v0", "no_such_module:Some-v0", "not a name"])
def test_an_environment_that_cannot_be_made_is_refused(env: str) -> None:
    with pytest.raises(ConfigurationError, match=f"env = {env}: Gymnasium cannot make it"):
        Recorder(env, copies=1)


def test_arguments_reach_the_environment_or_are_refused() -> None:
    recorder = Recorder("FrozenLake-v1", 2, {"is_slippery": False})
    assert [one.unwrapped.P[0][2] for one in recorder.envs.envs] == [[(1.0, 1, 0, False)]] * 2
    with pytest.raises(ConfigurationError, match=r"cannot make it: .*unexpected keyword argument 'is_wet'"):
        Recorder("FrozenLake-v1", 2, {"is_wet": False})


@pytest.mark.parametrize(("moves", "pixels"), [("compass", False), ("native", True)])
def test_what_is_for_minigrid_is_refused_elsewhere(moves: str, pixels: bool) -> None:
    pytest.importorskip("minigrid")
    asked = "pixels = true" if pixels else "moves = compass"
    with pytest.raises(ConfigurationError, match=f"env = CartPole-v1: {asked}: for MiniGrid only"):
        Recorder("CartPole-v1", 2, moves=moves, pixels=pixels)


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = str(CONF.parent / "scripts" / "record_walks.py")
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)


def test_the_script_records_or_says_all_that_is_wrong(tmp_path: Path) -> None:
    out = tmp_path / "walks.h5"
    arguments = "arguments={sutton_barto_reward: true}"
    done = run_script("env=CartPole-v1", arguments, f"out={out}", "walks=3", "steps=9", "copies=2")
    assert done.returncode == 0, done.stderr
    assert "3 walks of 30 steps in all" in done.stdout
    assert [len(walk) for walk in open_recording(out).walks] == [10, 10, 10]
    refused = run_script("env=CartPole-v1", f"out={out}", "walks=0", "polcyy=random")
    assert refused.returncode == 2
    for expected in ("3 problems", "is there already", "walks = 0", "did you mean policy?"):
        assert expected in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["walks.h5"]
