"""The configuration's two checks: Hydra's, of keys and types, and pydantic's, of values and combinations."""

import dataclasses
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, TypeVar, Union, get_args, get_origin

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf
from pydantic import BaseModel, ValidationError

from tem_vae.training.config import EvaluateConfig, TrainConfig

_SCALARS = (int, float, bool, str, Path)

Config = TypeVar("Config", bound=BaseModel)


class ConfigurationError(ValueError):
    """The configuration is wrong; the message lists every problem."""


def register_schemas() -> None:
    """Make the schemas known to Hydra, so that ``conf/`` can name them in defaults lists."""
    store = ConfigStore.instance()
    store.store(name="train_schema", node=structured(TrainConfig))
    store.store(name="evaluate_schema", node=structured(EvaluateConfig))


def validate(config: DictConfig, schema: type[Config]) -> Config:
    """The checked configuration.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    return check(OmegaConf.to_container(config, resolve=True, throw_on_missing=True), schema)


def check(values: object, schema: type[Config]) -> Config:
    """The checked configuration of plain values.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(_describe(error)) from None


def structured(model: type[BaseModel]) -> type:
    """The dataclass with the model's keys and, as far as Hydra knows them, their types."""
    fields = [
        (name, _hydra_type(field.annotation), dataclasses.field(default=MISSING))
        for name, field in model.model_fields.items()
    ]
    return dataclasses.make_dataclass(model.__name__, fields)


def _hydra_type(annotation: Any) -> Any:
    """The type that Hydra checks: scalars and sections as they are, anything richer is left to pydantic."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _hydra_type(arguments[0])
    if origin is Literal:
        return str
    if origin in (Union, types.UnionType) and len(arguments) == 2 and arguments[1] is type(None):
        inner = _hydra_type(arguments[0])
        return Any if inner is Any else Optional[inner]  # noqa: UP045 - the type is only known here
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return structured(annotation)
    return annotation if annotation in _SCALARS else Any


def _describe(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    lines = [_describe_problem(problem["loc"], problem["msg"], problem["input"]) for problem in problems]
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    return "\n".join([f"The configuration has {count}:", *lines])


def _describe_problem(location: tuple[int | str, ...], message: str, value: object) -> str:
    key = ".".join(str(part) for part in location)
    message = message.removeprefix("Value error, ")
    if isinstance(value, dict):
        return f"  {key}: {message}" if key else f"  {message}"
    return f"  {key} = {value}: {message}"
