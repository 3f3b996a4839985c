"""In which floating-point type the geometry computes, whatever precision the trainer chose."""

import torch
from torch import Tensor

_DEVICES_WITHOUT_FLOAT64 = frozenset({"mps"})


def working_dtype(*tensors: Tensor) -> torch.dtype:
    """The widest dtype of the arguments, and never narrower than float32."""
    dtype = torch.float32
    for tensor in tensors:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return dtype


def matrix_dtype(device: torch.device) -> torch.dtype:
    """The dtype for small dense linear algebra: float64 where the device has it."""
    return torch.float32 if device.type in _DEVICES_WITHOUT_FLOAT64 else torch.float64


def without_autocast(device: torch.device) -> torch.autocast:
    """A context in which autocast lowers the precision of nothing on `device`."""
    return torch.autocast(device.type, enabled=False)


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """`a @ b` in float32 or better, under autocast and under a lowered float32 matmul precision alike.

    Where `torch.set_float32_matmul_precision` allows TF32 or bfloat16 products, the product is taken in
    float64 instead: 10 bits of mantissa are too few for differences of codes divided by a small scale.
    """
    dtype = working_dtype(a, b)
    lowered = dtype == torch.float32 and torch.get_float32_matmul_precision() != "highest"
    product_dtype = matrix_dtype(a.device) if lowered else dtype
    with without_autocast(a.device):
        return (a.to(product_dtype) @ b.to(product_dtype)).to(dtype)
