"""Word knowledge from plain text: shifted PPMI over a window, then a randomised SVD.

usage: pretrain.py DATA VOCAB OUT.npy [--dimension N]
The rows start the token table of train.py (Levy & Goldberg 2014: this is what skip-gram factors).
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from corpus import texts
from tokenizer import Tokenizer

WINDOW = 8
SMOOTH = 0.75  # exponent of the context counts
SHIFT = 0.0  # log of the number of negatives


def count_pairs(data: Path, tokenizer: Tokenizer) -> torch.Tensor:
    """Symmetric co-occurrence counts, weighted by 1 / distance. [V, V] sparse"""
    flat = []
    for text in texts(data, Path(__file__).parent):
        flat += tokenizer.encode(text, 400) + [0] * WINDOW
    ids, size = np.array(flat, np.int64), len(tokenizer)
    total = torch.sparse_coo_tensor(size=(size, size))
    for distance in range(1, WINDOW + 1):
        a, b = ids[:-distance], ids[distance:]
        real = (a > 0) & (b > 0) & (a != b)
        keys, counts = np.unique(a[real] * size + b[real], return_counts=True)
        at = torch.from_numpy(np.stack([keys // size, keys % size]))
        total = (total + torch.sparse_coo_tensor(at, torch.from_numpy(counts / distance).float(), (size, size))).coalesce()
    return (total + total.t()).coalesce()


def ppmi(counts: torch.Tensor) -> torch.Tensor:
    at, seen = counts.indices(), counts.values()
    own = torch.sparse.sum(counts, 1).to_dense() + 1e-9
    context = own**SMOOTH
    value = torch.log(seen * context.sum() / (own[at[0]] * context[at[1]])) - SHIFT
    keep = (value > 0) & (seen > 0.5)
    return torch.sparse_coo_tensor(at[:, keep], value[keep], counts.shape).coalesce()


def factor(matrix: torch.Tensor, dimension: int, rounds: int = 4) -> torch.Tensor:
    """Left factor U * sqrt(S) of a symmetric sparse matrix (Halko et al. 2011)."""
    basis = torch.randn(matrix.shape[0], dimension + 32)
    for _ in range(rounds):
        basis = torch.linalg.qr(torch.sparse.mm(matrix, basis)).Q
    u, s, _ = torch.linalg.svd(torch.sparse.mm(matrix, basis), full_matrices=False)
    return (u * s.sqrt())[:, :dimension]


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "vocab", "out"):
        args.add_argument(name, type=Path)
    args.add_argument("--dimension", type=int, default=256)
    args.add_argument("--seed", type=int, default=1)
    opt = args.parse_args()
    torch.manual_seed(opt.seed)
    matrix = ppmi(count_pairs(opt.data, Tokenizer(opt.vocab)))
    rows = factor(matrix, opt.dimension)
    rows = torch.nn.functional.normalize(rows, dim=-1) * 1.6 + torch.randn_like(rows) * 0.01
    np.save(opt.out, rows.numpy().astype(np.float32))
    print(matrix.values().numel(), "pairs,", tuple(rows.shape))


if __name__ == "__main__":
    main()
