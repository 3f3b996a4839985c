"""In which floating-point type the geometry computes, whatever precision the trainer chose."""

import math

import torch
from torch import Tensor
from torch.nn.functional import threshold

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


def smallest_share(dtype: torch.dtype) -> float:
    """Log of a share that is far below the rounding of a sum: −35 nats in float32, −283 in float64.

    Smaller shares are raised to it, or dropped, for the sake of time: on CPUs a number below the smallest
    normal one takes many times as long as any other. Exponentials far from the largest one are full of them,
    and where these are not, their products are. Two such shares leave a fifth of the range of exponents for
    other factors.
    """
    return 0.4 * math.log(torch.finfo(dtype).tiny)


def significant(shares: Tensor) -> Tensor:
    """Shares of sums, with 0 for those smaller than `smallest_share`."""
    return threshold(shares, math.exp(smallest_share(shares.dtype)), 0.0)


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """`a @ b` in float32 or better, under autocast and under a lowered float32 matmul precision alike.

    Where the backend may round float32 factors to TF32 or bfloat16, the product is taken in float64 instead:
    10 bits of mantissa are too few for differences of codes that are divided by a small scale.
    """
    dtype = working_dtype(a, b)
    rounded = dtype == torch.float32 and _float32_products_are_rounded(a.device)
    product_dtype = matrix_dtype(a.device) if rounded else dtype
    if a.dtype == b.dtype == product_dtype and not torch.is_autocast_enabled(a.device.type):
        return a @ b
    with torch.autocast(a.device.type, enabled=False):
        return (a.to(product_dtype) @ b.to(product_dtype)).to(dtype)


def _float32_products_are_rounded(device: torch.device) -> bool:
    """Whether `torch.set_float32_matmul_precision` or its successors allow it on this device."""
    backend = torch.backends.mkldnn if device.type == "cpu" else torch.backends.cuda
    return backend.matmul.fp32_precision in {"tf32", "bf16"}
