"""The values in a checkpoint, read without trusting them. No torch, which takes seconds to load.

A pickle is a program for a small machine with a stack. This is such a machine that knows only the
instructions that checkpoints of this program consist of: plain values, and tensors as a description of where
their numbers are. It imports nothing and calls nothing that the pickle names.
"""

import math
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_MOST_INSTRUCTIONS = 1_500_000  # three of the largest worlds take 1,200,000
_LARGEST_KEY = 2**31  # whole numbers whose hashes differ; others could be chosen to collide

_DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}


class StoredValuesError(ValueError):
    """A pickle is damaged, or holds what no checkpoint of this program holds."""


@dataclass(frozen=True)
class StoredTensor:
    """Where the numbers of a tensor are.

    Attributes:
        key: Of the member of the archive that they are in.
        dtype: Their type, as torch calls it.
        stored: How many numbers that member holds.
        offset: Where in them the tensor begins.
        shape: Of the tensor.
        stride: By how many numbers one goes on along each axis.
    """

    key: str
    dtype: str
    stored: int
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class _Name:
    """Something that the pickle names; it is not looked up."""

    module: str
    name: str


@dataclass(frozen=True)
class _Storage:
    """The numbers of one or several tensors."""

    key: str
    dtype: str
    stored: int


_ORDERED_DICT = _Name("collections", "OrderedDict")
_TENSOR = _Name("torch._utils", "_rebuild_tensor_v2")


def read_values(pickled: bytes | bytearray, build: Callable[[StoredTensor], Any]) -> Any:
    """The values that a pickle of ``torch.save`` describes.

    Args:
        pickled: The member ``data.pkl`` of the archive.
        build: Makes a tensor of its description, or whatever shall stand for it.

    Raises:
        StoredValuesError: It is damaged, or holds what no checkpoint of this program holds.
    """
    try:
        return _Machine(bytes(pickled), build).run()
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, StoredValuesError):
            raise
        raise StoredValuesError("its values are damaged, or something else wrote them") from error


class _Machine:
    """Reads a pickle of protocol 2, the one that ``torch.save`` writes."""

    def __init__(self, pickled: bytes, build: Callable[[StoredTensor], Any]) -> None:
        self._pickled = pickled
        self._build = build
        self._at = 0
        self._stack: list[Any] = []
        self._outer: list[list[Any]] = []  # the stacks that marks have put aside
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """The one value that is left at the end."""
        for _ in range(_MOST_INSTRUCTIONS):
            code = self._take(1)
            if code == b".":
                (value,) = self._stack
                return value
            if code not in _INSTRUCTIONS:
                raise StoredValuesError(f"it holds the instruction {code!r}, which no checkpoint holds")
            _INSTRUCTIONS[code](self)
        raise StoredValuesError(f"its values take more than {_MOST_INSTRUCTIONS:,} instructions")

    def _take(self, size: int) -> bytes:
        """The next bytes of the pickle."""
        taken = self._pickled[self._at : self._at + size]
        if len(taken) != size:
            raise StoredValuesError("its values were cut off")
        self._at += size
        return taken

    def _number(self, layout: str) -> Any:
        """The next bytes as a number, laid out as struct says."""
        return struct.unpack(layout, self._take(struct.calcsize(layout)))[0]

    def _line(self) -> str:
        """The bytes up to the next end of a line."""
        end = self._pickled.index(b"\n", self._at)
        return self._take(end + 1 - self._at)[:-1].decode()

    def skip(self, size: int) -> None:
        """Pass over the version of the protocol: what is read here is the same in all."""
        self._take(size)

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self._stack.append(value)

    def mark(self) -> None:
        """Put the stack aside and begin a new one."""
        self._outer.append(self._stack)
        self._stack = []

    def pop_to_mark(self) -> list[Any]:
        """What has been put on the stack since the last mark."""
        values, self._stack = self._stack, self._outer.pop()
        return values

    def push_number(self, layout: str) -> None:
        """A number that stands in the pickle."""
        self.push(self._number(layout))

    def push_long(self) -> None:
        """A whole number of up to 255 bytes."""
        self.push(int.from_bytes(self._take(self._number("<B")), "little", signed=True))

    def push_text(self) -> None:
        """A text that stands in the pickle."""
        self.push(self._take(self._number("<I")).decode("utf-8"))

    def push_name(self) -> None:
        """A module and a name in it."""
        self.push(_Name(self._line(), self._line()))

    def pop(self, count: int) -> list[Any]:
        """The last values, in the order in which they were put on the stack."""
        return [self._stack.pop() for _ in range(count)][::-1]

    def remember(self, layout: str) -> None:
        """Keep the last value under a number."""
        self._memo[self._number(layout)] = self._stack[-1]

    def recall(self, layout: str) -> None:
        """A value that was kept."""
        self.push(self._memo[self._number(layout)])

    def append(self, values: list[Any]) -> None:
        """Add values to the list on the stack."""
        extended = self._stack[-1]
        if type(extended) is not list:
            raise StoredValuesError("it adds to what is no list")
        extended += values

    def set_items(self, values: list[Any]) -> None:
        """Add keys and values, in turn, to the dictionary on the stack."""
        extended = self._stack[-1]
        if type(extended) not in (dict, OrderedDict) or len(values) % 2:
            raise StoredValuesError("it adds to what is no dictionary")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if type(key) is not str and not (type(key) is int and abs(key) < _LARGEST_KEY):
                raise StoredValuesError("it has a key that is neither a text nor a small number")
            extended[key] = value

    def push_storage(self) -> None:
        """The numbers that a tensor is made of; where they are is on the stack."""
        kind, storage, key, _, stored = self._stack.pop()
        if kind != "storage" or storage.module != "torch" or storage.name not in _DTYPES:
            raise StoredValuesError(f"it holds numbers of the kind {storage.name[:80]}")
        if type(key) is not str or type(stored) is not int or stored < 0:
            raise StoredValuesError("it does not say where the numbers of a tensor are")
        self.push(_Storage(key, _DTYPES[storage.name], stored))

    def call(self) -> None:
        """Of all that can be called, an empty dictionary and a tensor are known."""
        arguments = self._stack.pop()
        called = self._stack.pop()
        if called == _ORDERED_DICT and arguments == ():
            self.push(OrderedDict())
        elif called == _TENSOR:
            self.push(self._build(_describe(*arguments)))
        else:
            raise StoredValuesError(f"it calls {called.module[:80]}.{called.name[:80]}")

    def set_attributes(self) -> None:
        """The attributes of a dictionary: torch adds the versions of its modules, which say nothing here."""
        self._stack.pop()
        if type(self._stack[-1]) is not OrderedDict:
            raise StoredValuesError("it gives attributes to what is no dictionary")


def _describe(
    storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> StoredTensor:
    """A tensor that lies within its numbers."""
    numbers = (offset, *shape, *stride)
    if len(shape) != len(stride) or not all(type(number) is int and number >= 0 for number in numbers):
        raise StoredValuesError("it holds a tensor without a proper shape")
    if math.prod(size or 1 for size in shape) > max(storage.stored, 1):
        raise StoredValuesError("it holds a tensor that is larger than its numbers")
    reach = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True)) + 1
    if 0 not in shape and reach > storage.stored:
        raise StoredValuesError("it holds a tensor that is larger than its numbers")
    return StoredTensor(storage.key, storage.dtype, storage.stored, offset, shape, stride)


_INSTRUCTIONS: dict[bytes, Callable[[_Machine], object]] = {
    b"\x80": lambda m: m.skip(1),
    b"(": _Machine.mark,
    b"}": lambda m: m.push({}),
    b"]": lambda m: m.push([]),
    b")": lambda m: m.push(()),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"J": lambda m: m.push_number("<i"),
    b"K": lambda m: m.push_number("<B"),
    b"M": lambda m: m.push_number("<H"),
    b"G": lambda m: m.push_number(">d"),
    b"\x8a": _Machine.push_long,
    b"X": _Machine.push_text,
    b"c": _Machine.push_name,
    b"t": lambda m: m.push(tuple(m.pop_to_mark())),
    b"\x85": lambda m: m.push(tuple(m.pop(1))),
    b"\x86": lambda m: m.push(tuple(m.pop(2))),
    b"\x87": lambda m: m.push(tuple(m.pop(3))),
    b"q": lambda m: m.remember("<B"),
    b"r": lambda m: m.remember("<I"),
    b"h": lambda m: m.recall("<B"),
    b"j": lambda m: m.recall("<I"),
    b"a": lambda m: m.append(m.pop(1)),
    b"e": lambda m: m.append(m.pop_to_mark()),
    b"s": lambda m: m.set_items(m.pop(2)),
    b"u": lambda m: m.set_items(m.pop_to_mark()),
    b"Q": _Machine.push_storage,
    b"R": _Machine.call,
    b"b": _Machine.set_attributes,
}
