"""Walks that somebody recorded: files, checks, splits, and windows to train on."""

from tem_vae.data.recorded.examination import Examination, examine, examine_once
from tem_vae.data.recorded.problems import WalkProblem, WalksFileError
from tem_vae.data.recorded.recording import RecordedWalk, Recording, open_recording
from tem_vae.data.recorded.splits import Shares, SplitBy, missing_for_training, split_walks
from tem_vae.data.recorded.stored import load_walks, save_walks
from tem_vae.data.recorded.summary import summarize
from tem_vae.data.recorded.values import Facts, check_values
from tem_vae.data.recorded.windows import HeldOutWindows, RecordedWalks, hold_out

__all__ = [
    "Examination",
    "Facts",
    "HeldOutWindows",
    "RecordedWalk",
    "RecordedWalks",
    "Recording",
    "Shares",
    "SplitBy",
    "WalkProblem",
    "WalksFileError",
    "check_values",
    "examine",
    "examine_once",
    "hold_out",
    "load_walks",
    "missing_for_training",
    "open_recording",
    "save_walks",
    "split_walks",
    "summarize",
]
