"""The keys of every kind of a section, where null keeps what a run had: made from the kinds themselves."""

import contextlib
import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    create_model,
)
from pydantic.fields import FieldInfo

from tem_vae.config.fields import Section, sections_of, tag_of

Kinds = TypeVar("Kinds")


@dataclass(frozen=True)
class ReadFrom:
    """In the annotation of a field: it is read from another one, and nobody gives it in an evaluation.

    Attributes:
        field: The field that names the file.
    """

    field: str


class ChangesTo(Section, Generic[Kinds]):
    """Null keeps what the run was tested on, if that is of the same kind.

    ``ChangesTo[WorldConfig]`` has the keys of all kinds of worlds, all of which may be null. Here a value
    must suit one of the kinds that have its key, and stays as it was given; what comes out of `override` is
    checked by its own kind.
    """

    def __class_getitem__(cls, kinds: Any) -> Any:
        """The section for a union of sections."""
        return create_model(f"{cls.__name__}[{kinds}]", __base__=cls, __doc__=cls.__doc__, **_fields(kinds))

    def override(self, tested_on: Section) -> dict[str, Any]:
        """The values of a section, not yet checked: the given one with what is not null here.

        Of another kind than the given one, a section takes all of its values from here.
        """
        changes = self.model_dump(exclude_none=True)
        tag, kind = tag_of(type(tested_on))
        if changes.get(tag, kind) != kind:
            return changes
        read_anew = {name: None for name, source in _sources(type(tested_on)).items() if source in changes}
        return tested_on.model_dump() | changes | read_anew


def all_null(schema: type[Section]) -> dict[str, Any]:
    """A configuration in which every key of all sections is null."""
    return {
        name: all_null(sections[0]) if (sections := sections_of(field.annotation)) else None
        for name, field in schema.model_fields.items()
    }


def _fields(kinds: Any) -> dict[str, Any]:
    """Annotation and description of every key of all kinds, in the order of the kinds."""
    sections = sections_of(kinds)
    tag, _ = tag_of(sections[0])
    tags: Any = Literal.__getitem__(tuple(tag_of(section)[1] for section in sections))
    fields: dict[str, Any] = {
        tag: (tags | None, Field(description=sections[0].model_fields[tag].description)),
    }
    for name in dict.fromkeys(name for section in sections for name in section.model_fields):
        having = [section for section in sections if name in section.model_fields]
        if name != tag and not any(name in _sources(section) for section in having):
            fields[name] = (_nullable(name, having), Field(description=_describe(name, having, sections)))
    return fields


def _nullable(name: str, sections: Sequence[type[Section]]) -> Any:
    """Null, or a value that one of the sections takes for its field, left as it was given."""
    annotations = list(dict.fromkeys(_annotation(section.model_fields[name]) for section in sections))
    strict = ConfigDict(strict=True)
    adapters: list[TypeAdapter[Any]] = [TypeAdapter(annotation, config=strict) for annotation in annotations]

    def check(value: Any, info: ValidationInfo) -> Any:
        for adapter in adapters[1:]:
            with contextlib.suppress(ValidationError):
                adapter.validate_python(value, context=info.context)
                return value
        adapters[0].validate_python(value, context=info.context)
        return value

    as_given = (PlainValidator(check), PlainSerializer(lambda value: value))
    return Annotated[(functools.reduce(operator.or_, annotations), *as_given)] | None


def _annotation(field: FieldInfo) -> Any:
    annotation: Any = field.annotation
    for constraint in field.metadata:
        annotation = Annotated[annotation, constraint]
    return annotation


def _describe(name: str, having: Sequence[type[Section]], sections: Sequence[type[Section]]) -> str:
    """The meaning of a key, for each meaning after the kinds that have it where not all do."""
    kinds: dict[str, list[str]] = {}
    for section in having:
        kinds.setdefault(section.model_fields[name].description or "", []).append(tag_of(section)[1])
    if len(kinds) == 1 and len(having) == len(sections):
        return next(iter(kinds))
    return " ".join(f"Of {', '.join(names)}: {description}" for description, names in kinds.items())


def _sources(section: type[Section]) -> dict[str, str]:
    """The fields of a section that are read from another one, and that one."""
    return {
        name: mark.field
        for name, field in section.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, ReadFrom)
    }
