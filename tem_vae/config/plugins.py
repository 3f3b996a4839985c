"""Classes of the user's own, named as ``module:Class``: imported only from packages that the user allowed.

A checkpoint of a stranger may name any module, and importing one runs it. So the names of the packages come
from the command line or from the caller, never from what is stored, and are looked at before anything is
imported.
"""

import importlib
import inspect
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, JsonValue, ValidationError, ValidationInfo

from tem_vae.config.fields import Allowed
from tem_vae.errors import ConfigurationError

CONTEXT_KEY = "plugins"
_NAME = r"[A-Za-z_]\w*"
_TARGET = re.compile(rf"{_NAME}(\.{_NAME})*:{_NAME}", re.ASCII)


class PluginError(ConfigurationError):
    """A class of the user's own cannot be used, or was not allowed; the message says why."""


def _check_target(target: str) -> str:
    if not _TARGET.fullmatch(target):
        raise ValueError("must be module:Class, such as my_package.percepts:Colours")
    return target


def _check_roots(roots: list[str]) -> list[str]:
    for root in roots:
        if not re.fullmatch(_NAME, root, re.ASCII):
            raise ValueError(
                "must be names of packages as one imports them, without a point, such as [my_package]"
            )
    return roots


Target = Annotated[str, AfterValidator(_check_target), Allowed("`module:Class`")]
Arguments = Annotated[dict[str, JsonValue] | None, Allowed("values by name, as in `{size: 3}`, or `null`")]
Roots = Annotated[list[str], AfterValidator(_check_roots), Allowed("list of names of packages")]


def import_plugin(
    target: str, arguments: Mapping[str, Any] | None, protocol: type, info: ValidationInfo
) -> Any:
    """An object of the class that a target names, if its package was allowed.

    Args:
        target: As ``module:Class``.
        arguments: Its keyword arguments; None for none.
        protocol: What it must fit.
        info: Of the validation, whose context says which packages are allowed.

    Raises:
        PluginError: The package was not allowed, and nothing was imported; or there is no such class, or it
            does not fit the protocol, or cannot be made.
    """
    module, _, name = target.partition(":")
    root = module.partition(".")[0]
    if root not in _allowed_roots(info):
        raise PluginError(
            f"{target} is code of the package {root}, which is imported only if you allow it: look at it "
            f"yourself, then say plugins=[{root}], or plugins=['{root}'] in Python"
        )
    plugin = _find_class(module, name)
    # A package imports much that is not its own, and such a thing would get arguments from a stranger.
    if plugin.__module__.partition(".")[0] != root:
        raise PluginError(f"{target} is a class of {plugin.__module__}, and must be one of {root} itself")
    # Before anything is made of it: values may be set as it is made, methods are there already.
    methods = [member for member in _members(protocol) if inspect.isfunction(vars(protocol)[member])]
    _refuse_missing(target, protocol, plugin, methods)
    try:
        made = plugin(**(arguments or {}))
    except Exception as error:
        raise PluginError(f"{target} cannot be made with these arguments: {describe(error)}") from error
    _refuse_missing(target, protocol, made, _members(protocol))
    return made


def _allowed_roots(info: ValidationInfo) -> Sequence[str]:
    roots = (info.context or {}).get(CONTEXT_KEY)
    return roots if isinstance(roots, list | tuple) else ()


def _find_class(module: str, name: str) -> type:
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            raise PluginError(
                f"there is no module {error.name}; install its package, or say where it lies: "
                "PYTHONPATH=FOLDER python scripts/..."
            ) from None
        raise PluginError(f"importing {module} failed: {describe(error)}") from error
    if not isinstance(found, type):
        raise PluginError(f"{module} has no class {name}")
    return found


def _members(protocol: type) -> list[str]:
    """What a protocol asks for."""
    return [name for name in vars(protocol) if not name.startswith("_")]


def _refuse_missing(target: str, protocol: type, plugin: object, members: Sequence[str]) -> None:
    if missing := [member for member in members if not hasattr(plugin, member)]:
        raise PluginError(f"{target} is no {protocol.__name__}: it has no {', '.join(missing)}")


def describe(error: BaseException) -> str:
    """What an error of somebody's code was, and where in that code."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = "" if frame.filename == __file__ else f" ({frame.filename}, line {frame.lineno})"
    return f"{type(error).__name__}: {error}{where}"


def refusals(error: ValidationError) -> Iterator[PluginError]:
    """What a validation says of classes of the user's own."""
    for problem in error.errors(include_url=False, include_input=False):
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, PluginError):
            yield cause
