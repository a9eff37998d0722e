"""Blends several trained models into one of the same size: their tables side by side, then the
directions that texts use most (principal components of pooled vectors).

usage: blend.py DATA VOCAB OUT MODEL MODEL...
"""

import argparse
from pathlib import Path

import torch

from corpus import pairs
from model import Ragged, Static
from tokenizer import Tokenizer

SAMPLE = 20000  # pairs whose texts decide the directions


def side_by_side(models: list[Static], lists: Ragged) -> torch.Tensor:
    """The models' rows with their weights folded in, so scaled that each has as much to say."""
    folded = [m.table * torch.exp(m.weight)[:, None] / m.sums(lists).norm(dim=-1).mean() for m in models]
    return torch.cat(folded, dim=1)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "vocab", "out"):
        args.add_argument(name, type=Path)
    args.add_argument("models", type=Path, nargs="+")
    args.add_argument("--dimension", type=int, default=256)
    opt = args.parse_args()
    tokenizer = Tokenizer(opt.vocab)
    found = pairs(opt.data, Path(__file__).parent, 1)[:SAMPLE]
    lists = Ragged.of([tokenizer.encode(text, 72) for p in found for text in (p.query, p.passage)])
    table = side_by_side([Static.load(path) for path in opt.models], lists)
    unit = Static(table, torch.zeros(len(table))).vectors(lists)
    spread, axes = torch.linalg.eigh(unit.T @ unit)
    axes = axes[:, -opt.dimension :]
    print(f"{spread[-opt.dimension:].sum() / spread.sum():.3f} of the energy kept")
    Static(table @ axes, torch.zeros(len(table))).save(opt.out)


if __name__ == "__main__":
    main()
