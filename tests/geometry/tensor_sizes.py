"""A record of the tensors that pass through torch's operations."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class TensorSizes(TorchDispatchMode):
    """Within this context, every operation of forward and backward passes adds what it read and wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: set[torch.Size] = set()
        self.product_dtypes: set[torch.dtype] = set()

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves((args, kwargs, result)) if isinstance(leaf, Tensor)]
        self.shapes.update(tensor.shape for tensor in tensors)
        if func in {torch.ops.aten.mm.default, torch.ops.aten.bmm.default}:
            self.product_dtypes.add(result.dtype)
        return result

    @property
    def largest(self) -> int:
        return max(shape.numel() for shape in self.shapes)
