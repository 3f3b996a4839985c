"""What configurations are made of: sections, kinds of sections, and fields that name files and folders."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from tem_vae.runs.checkpoint import check_whole, find_checkpoint

Location = tuple[int | str, ...]


class Section(BaseModel):
    """A part of the configuration; a key that is not listed is an error.

    Attributes:
        renamed: Keys of earlier versions, and what they are called now; in stored configurations, which must
            stay valid, the section itself converts them.
        chosen_by: The override that chooses this section among those of other kinds, where it is one of few.
        if_cut_off: What can be done where what it configures was interrupted and cannot be resumed.
    """

    chosen_by: ClassVar[str | None] = None
    if_cut_off: ClassVar[str] = "nothing of it is kept, so start it again"
    renamed: ClassVar[Mapping[str, str]] = {}

    # Strict: true is no number, and "8" none either.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @classmethod
    def convert_stored(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The values that a run of an earlier version stored, as this version has them."""
        return values

    @model_validator(mode="before")
    @classmethod
    def _convert(cls, values: Any, info: ValidationInfo) -> Any:
        is_stored = isinstance(values, dict) and not checks_files(info)
        return cls.convert_stored(values) if is_stored else values


@dataclass(frozen=True)
class Allowed:
    """In an annotation: the values that it allows, where its type does not say so.

    Attributes:
        words: For the reader of docs/configuration.md.
    """

    words: str


class OneKind:
    """In the annotation of a union of sections, one for each kind: keys of the other kinds are left out.

    So ``model.encoder.kind=identity`` is enough, although ``conf/`` gives the hidden layer of another kind. A
    key that the user gave is not left out in silence: see `problems.examine`.
    """

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic validates the union."""
        sections = sections_of(union)

        def leave_out(values: object) -> object:
            chosen = choose(sections, values)
            if chosen is None or not isinstance(values, Mapping):
                return values
            others = {name for section in sections for name in section.model_fields}
            left_out = others - chosen.model_fields.keys()
            return {name: value for name, value in values.items() if name not in left_out}

        return core_schema.no_info_before_validator_function(leave_out, handler(union))


def sections_of(annotation: Any) -> list[type[Section]]:
    """The sections that an annotation allows: none for a plain value, several for a union of kinds."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    if get_origin(annotation) is Literal:
        return []
    arguments = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return [section for argument in arguments for section in sections_of(argument)]


def tag_of(section: type[Section]) -> tuple[str, str]:
    """The key that says of which kind a section is, and its value; both empty where it does not say it."""
    for name, field in section.model_fields.items():
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
            return name, str(get_args(field.annotation)[0])
    return "", ""


def choose(sections: Sequence[type[Section]], values: object) -> type[Section] | None:
    """The one of several sections that values are meant for; None where they do not say it."""
    if len(sections) == 1:
        return sections[0]
    if not isinstance(values, Mapping):
        return None
    tagged = ((section, *tag_of(section)) for section in sections)
    return next((section for section, key, kind in tagged if key and values.get(key) == kind), None)


def look_up(
    schema: type[Section], values: object, location: Iterable[int | str]
) -> tuple[list[type[Section]], object]:
    """The sections that are allowed at a location, none where it holds a plain value, and what is there."""
    sections: list[type[Section]] = [schema]
    for part in location:
        section = choose(sections, values)
        field = section.model_fields.get(str(part)) if section else None
        sections = sections_of(field.annotation) if field else []
        values = values.get(part) if isinstance(values, Mapping) else None
    return sections, values


def without_tags(location: Location, values: object) -> Location:
    """The location as a configuration has it: behind a section of several kinds pydantic puts its kind."""
    kept: list[int | str] = []
    may_be_tag = False
    for part in location:
        if may_be_tag and isinstance(values, Mapping) and part in (values.get("kind"), values.get("source")):
            may_be_tag = False
            continue
        kept.append(part)
        may_be_tag = True
        values = values.get(part) if isinstance(values, Mapping) else None
    return tuple(kept)


def keys_of(schema: type[Section]) -> Iterator[str]:
    """Every key of a schema with dots, outer keys first."""
    pending = [("", schema)]
    while pending:
        prefix, section = pending.pop(0)
        for name, field in section.model_fields.items():
            yield f"{prefix}{name}"
            pending += [(f"{prefix}{name}.", inner) for inner in sections_of(field.annotation)]


def flatten(section: Mapping[str, Any]) -> dict[str, Any]:
    """The values of nested sections by key with dots.

    Example:
        >>> flatten({"model": {"metric": {"rank": 4}}, "seed": 0})
        {'model.metric.rank': 4, 'seed': 0}
    """
    flat: dict[str, Any] = {}
    for name, value in section.items():
        inner = flatten(value) if isinstance(value, Mapping) else {"": value}
        flat |= {f"{name}.{key}".rstrip("."): leaf for key, leaf in inner.items()}
    return flat


def _refuse_empty(value: object) -> object:
    """A path without a name means the working directory, and is most often a variable that was not set."""
    if value == "":
        raise ValueError("must name a folder, and the name is empty; null means a new folder in runs/")
    return value


def _check_run_dir(path: Path, info: ValidationInfo) -> Path:
    if not checks_files(info):
        return path
    try:
        existing = next(folder for folder in (path, *path.absolute().parents) if os.path.lexists(folder))
        longest = os.pathconf(existing, "PC_NAME_MAX") if existing.is_dir() else None
    except OSError as error:
        raise ValueError(f"must be a folder that can be written to ({error.strerror})") from None
    if existing.is_symlink() and not existing.exists():
        raise ValueError(f"must be a folder that can be written to, and {existing} is a link to nowhere")
    if longest is None or not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"must be a folder that can be written to, and {existing} is none")
    if too_long := next((name for name in path.parts if len(os.fsencode(name)) > longest), None):
        raise ValueError(f"must have names of at most {longest} bytes, and {too_long[:20]}... is longer")
    return path


def _as_paths(value: object) -> object:
    """One checkpoint stands for a list of it alone."""
    paths = value if isinstance(value, list | tuple) else (value,)
    if not paths or not all(isinstance(path, str | Path) for path in paths):
        raise ValueError("must be a path, or a list of paths [A,B]")
    return tuple(Path(path) for path in paths)


def _find_checkpoints(paths: tuple[Path, ...], info: ValidationInfo) -> tuple[Path, ...]:
    if not checks_files(info):
        return paths
    for path in paths:
        try:
            file = find_checkpoint(path)
        except OSError as error:
            raise ValueError(f"{path} cannot be looked at: {error.strerror}") from None
        if file is None:
            raise ValueError(
                "must be a .ckpt file, or the directory of a run that has checkpoints/best.ckpt, "
                f"and {path} is neither"
            )
        check_whole(file)
    if len({path.resolve() for path in paths}) < len(paths):
        raise ValueError("names the same checkpoint twice; name each once")
    return paths


def _check_new_file(path: Path, info: ValidationInfo) -> Path:
    if checks_files(info) and path.exists():
        raise ValueError("is there already; name another file, or remove it")
    if checks_files(info) and not path.absolute().parent.is_dir():
        raise ValueError(f"must lie in a folder that is there, and {path.absolute().parent} is none")
    return path


def checks_files(info: ValidationInfo) -> bool:
    """Whether files may be opened: not those of a stored configuration, which may be a stranger's."""
    return bool(info.context and info.context.get("check_files"))


RunDirectory = Annotated[
    Path, Field(strict=False), BeforeValidator(_refuse_empty), AfterValidator(_check_run_dir)
]
Checkpoints = Annotated[
    tuple[Path, ...],
    BeforeValidator(_as_paths),
    AfterValidator(_find_checkpoints),
    Allowed("path, or list of paths"),
]
NewFile = Annotated[Path, Field(strict=False), AfterValidator(_check_new_file)]
