"""The keys of every kind of a section, where null keeps what a run had: made from the kinds themselves."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, create_model
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

    ``ChangesTo[WorldConfig]`` has the keys of all kinds of worlds, all of which may be null. Here a value is
    checked by the first kind that has its key; what comes out of `override` is checked by its own kind.
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
    for section in sections:
        for name, field in section.model_fields.items():
            if name not in fields and name not in _sources(section):
                fields[name] = (_nullable(field), Field(description=_describe(name, field, sections)))
    return fields


def _nullable(field: FieldInfo) -> Any:
    annotation: Any = field.annotation
    for constraint in field.metadata:
        annotation = Annotated[annotation, constraint]
    return annotation | None


def _describe(name: str, field: FieldInfo, sections: list[type[Section]]) -> str:
    """The meaning of a key, after the kinds that have it where not all do."""
    having = [tag_of(section)[1] for section in sections if name in section.model_fields]
    description = field.description or ""
    return description if len(having) == len(sections) else f"Of {', '.join(having)}: {description}"


def _sources(section: type[Section]) -> dict[str, str]:
    """The fields of a section that are read from another one, and that one."""
    return {
        name: mark.field
        for name, field in section.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, ReadFrom)
    }
