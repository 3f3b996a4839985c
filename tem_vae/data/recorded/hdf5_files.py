"""Walks in HDF5 files, of two layouts known by what stands in them: that of docs/data.md, and Minari's."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tem_vae.data.recorded.contents import (
    FIELDS,
    MOST_ACTION_NAMES,
    MOST_WALKS,
    Contents,
    StoredWalk,
    natural_key,
)
from tem_vae.data.recorded.hdf5_arrays import Hdf5File, brief, check_storage, open_array
from tem_vae.data.recorded.hdf5_chunks import check_chunks
from tem_vae.data.recorded.problems import NotUsable, WalksFileError
from tem_vae.reading import read_given

_LARGEST_METADATA = 2**20
_MOST_MEMBERS = 10_000
_LONGEST_TEXT = 10_000

_MINARI_NAMES = {"percepts": "observations", "actions": "actions"}


def read_hdf5(path: Path) -> Contents:
    """What an HDF5 file holds, of the plain layout or of Minari's."""
    contents, file = Contents(path), Hdf5File(path)
    try:
        root = file.handle
        members = dict(_members(contents, root, ""))
        groups = sorted(_groups(members), key=natural_key)
        if len(groups) > MOST_WALKS:
            raise WalksFileError(f"{path} has {len(groups):,} walks, and may have at most {MOST_WALKS:,}")
        if "percepts" in members or "actions" in members:
            contents.walks.append(_read_walk(contents, file, root, "walk", "", members))
        for name in groups:
            inner = dict(_members(contents, members[name], name))
            contents.walks.append(_read_walk(contents, file, members[name], name, name, inner))
        _read_action_names(contents, root, members)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, WalksFileError):
            raise
        raise WalksFileError(f"{path} is a damaged HDF5 file ({brief(error)})") from None
    if path.name == "main_data.hdf5":
        _read_metadata(contents, path.with_name("metadata.json"))
    return contents


def _groups(members: Mapping[str, Any]) -> list[str]:
    return [name for name, member in members.items() if isinstance(member, h5py.Group)]


def _members(contents: Contents, group: h5py.Group, walk: str) -> Iterator[tuple[str, Any]]:
    """What is stored in a group; links are refused, for they lead anywhere."""
    if len(group) > (MOST_WALKS if not walk else _MOST_MEMBERS):
        raise WalksFileError(
            f"{contents.path}: {walk or 'the file'} has {len(group):,} members, which is too many"
        )
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            kind = "to another file" if isinstance(link, h5py.ExternalLink) else "by name"
            contents.refuse(
                walk, f"{name} is a link {kind}; links are not followed, so store the data itself"
            )
            continue
        yield name, group[name]


def _read_walk(
    contents: Contents, file: Hdf5File, group: h5py.Group, name: str, prefix: str, members: Mapping[str, Any]
) -> StoredWalk:
    """A walk of one group, in the names of the plain layout or of Minari's."""
    walk = StoredWalk(name)
    is_minari = "observations" in members and "percepts" not in members
    infos = members.get("infos")
    extra: Mapping[str, Any] = {}
    if is_minari and isinstance(infos, h5py.Group):
        extra = dict(_members(contents, infos, f"{name}/infos"))
    for field in FIELDS:
        stored = _MINARI_NAMES.get(field, field) if is_minari else field
        where = f"{prefix}/{stored}" if stored in members else f"{prefix}/infos/{stored}"
        found = members[stored] if stored in members else extra.get(stored)
        if found is None:
            continue
        try:
            walk.arrays[field] = open_array(file, where, found, is_minari)
        except NotUsable as error:
            contents.refuse(name, f"{stored} {error}")
    try:
        walk.world = _read_world(group, members.get("world", extra.get("world")))
    except NotUsable as error:
        contents.refuse(name, f"world {error}")
    walk.others = [member for member in members if member not in FIELDS]
    return walk


def _read_world(group: h5py.Group, stored: Any) -> str | None:
    if stored is not None:
        if not isinstance(stored, h5py.Dataset):
            raise NotUsable("must be one name or whole number, and is a group")
        check_storage(stored, Path(stored.file.filename))
        check_chunks(stored, 0, *stored.shape[:1] or (1,))
        return _as_text(stored.id.get_type(), stored.shape, lambda: stored[()])
    if "world" not in group.attrs:
        return None
    attribute = group.attrs.get_id("world")
    return _as_text(attribute.get_type(), attribute.shape, lambda: group.attrs["world"])


def _as_text(kind: Any, shape: tuple[int, ...] | None, read: Any) -> str:
    is_text = isinstance(kind, h5py.h5t.TypeStringID)
    if not (is_text or isinstance(kind, h5py.h5t.TypeIntegerID)) or shape not in ((), (1,)):
        raise NotUsable("must be one name or whole number")
    if is_text and not kind.is_variable_str() and kind.get_size() > _LONGEST_TEXT:
        raise NotUsable(f"must be of at most {_LONGEST_TEXT:,} bytes")
    value = np.asarray(read()).reshape(-1)[0]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if len(text) > _LONGEST_TEXT:
        raise NotUsable(f"must be of at most {_LONGEST_TEXT:,} characters")
    return text


def _read_action_names(contents: Contents, root: h5py.File, members: Mapping[str, Any]) -> None:
    """Of the attribute or the data set ``action_names`` of the file."""
    try:
        contents.take_action_names(_read_texts(contents, root, members))
    except NotUsable as error:
        contents.refuse("", f"action_names {error}")


def _read_texts(contents: Contents, root: h5py.File, members: Mapping[str, Any]) -> list[object]:
    if isinstance(stored := members.get("action_names"), h5py.Dataset):
        check_storage(stored, contents.path)
        check_chunks(stored, 0, MOST_ACTION_NAMES)
        kind, shape = stored.id.get_type(), stored.shape
    elif "action_names" in root.attrs:
        attribute = root.attrs.get_id("action_names")
        kind, shape = attribute.get_type(), attribute.shape
    else:
        return []
    is_text = isinstance(kind, h5py.h5t.TypeStringID)
    if not is_text or shape is None or len(shape) != 1 or shape[0] > MOST_ACTION_NAMES:
        raise NotUsable(f"must be a list of at most {MOST_ACTION_NAMES:,} texts")
    if not kind.is_variable_str() and kind.get_size() > _LONGEST_TEXT:
        raise NotUsable(f"must be of at most {_LONGEST_TEXT:,} bytes each")
    return list(root.attrs["action_names"] if stored is None else stored[()])


def _read_metadata(contents: Contents, file: Path) -> None:
    """How many actions there are, as Minari says it beside its data."""
    if not os.path.lexists(file):
        return
    try:
        described = json.loads(read_given(file, _LARGEST_METADATA))
        space = described.get("action_space")
        space = json.loads(space) if isinstance(space, str) else {}
        number, start = space.get("n"), space.get("start", 0)
    except OSError as error:
        contents.refuse("", f"{file.name} cannot be read: {error.strerror}")
    except (ValueError, AttributeError, RecursionError):
        contents.refuse("", f"{file.name} is not the JSON that Minari writes")
    else:
        if (
            space.get("type") == "Discrete"
            and isinstance(number, int)
            and isinstance(start, int)
            and number > 0
        ):
            contents.n_actions = number + start
