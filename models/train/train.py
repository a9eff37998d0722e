"""Trains the static model with in-batch InfoNCE (Adam, rate falling to 0, temperature .05).

usage: train.py DATA VOCAB OUT [--init VECTORS] [--steps N] ...
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from corpus import pairs
from model import Ragged, Static
from tokenizer import Tokenizer

TEMPERATURE = 0.05


class Batches:
    """Random batches of encoded pairs."""

    def __init__(self, data: Path, tokenizer: Tokenizer, seed: int):
        found = pairs(data, Path(__file__).parent, seed)
        self.queries = Ragged.of([tokenizer.encode(p.query, 40) for p in found])
        self.passages = Ragged.of([tokenizer.encode(p.passage, 72) for p in found])
        self.groups = np.unique([p.group for p in found], return_inverse=True)[1]
        self.dice = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.groups)

    def draw(self, size: int) -> np.ndarray:
        return self.dice.integers(0, len(self), size)


def contrast(scores: torch.Tensor, groups: np.ndarray) -> torch.Tensor:
    """InfoNCE both ways; equal groups are no negatives."""
    same = torch.from_numpy(groups[:, None] == groups[None]) & ~torch.eye(len(groups), dtype=torch.bool)
    logits, target = (scores / TEMPERATURE).masked_fill(same, -1e4), torch.arange(len(groups))
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


class LazyAdam:
    """Adam that moves only the rows of a batch, at less than half of the dense one's cost."""

    def __init__(self, tensor: torch.Tensor, momentum: float):
        self.tensor, self.momentum = tensor, momentum
        self.mean, self.square = torch.zeros_like(tensor), torch.zeros_like(tensor)

    def update(self, rows: torch.Tensor, gradient: torch.Tensor, rate: float) -> None:
        mean = gradient
        if self.momentum:
            mean = self.mean[rows] * self.momentum + gradient * (1 - self.momentum)
            self.mean[rows] = mean
        square = self.square[rows] * 0.999 + gradient**2 * 0.001
        self.square[rows] = square
        self.tensor[rows] -= rate * mean / (square.sqrt() + 1e-8)


def losses(net: Static, data: Batches, opt: argparse.Namespace) -> tuple[torch.Tensor, torch.Tensor, Static]:
    """The loss of one batch, the ids that take part, and their rows."""
    picks = data.draw(opt.batch)
    queries, passages = data.queries.pick(picks), data.passages.pick(picks)
    ids, places = np.unique(np.concatenate([queries.flat, passages.flat]), return_inverse=True)
    ids, asked = torch.from_numpy(ids), len(queries.flat)
    queries, passages = queries.renamed(places[:asked]), passages.renamed(places[asked:])
    rows = net.rows(ids)
    loss = contrast(rows.vectors(queries) @ rows.vectors(passages).T, data.groups[picks])
    return loss, ids, rows


def train(net: Static, data: Batches, opt: argparse.Namespace) -> None:
    table, weight = LazyAdam(net.table, opt.momentum), LazyAdam(net.weight, opt.momentum)
    began = time.time()
    for step in range(opt.steps):
        rate = opt.rate * min(1, (step + 1) / 50) * (1 - step / opt.steps)
        loss, ids, rows = losses(net, data, opt)
        loss.backward()
        table.update(ids, rows.table.grad, rate)
        weight.update(ids, rows.weight.grad, rate)
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.3f} {time.time() - began:.0f} s, {time.process_time():.0f} s CPU", flush=True)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("data", type=Path)
    args.add_argument("vocab", type=Path)
    args.add_argument("out", type=Path)
    args.add_argument("--init", type=Path, help="table to start from, an .npy of vocabulary x dimension")
    args.add_argument("--dimension", type=int, default=256)
    args.add_argument("--steps", type=int, default=2500)
    args.add_argument("--batch", type=int, default=1024)
    args.add_argument("--rate", type=float, default=0.02)
    args.add_argument("--momentum", type=float, default=0.9, help="0 lets rare words move farthest")
    args.add_argument("--seed", type=int, default=1)
    opt = args.parse_args()
    random.seed(opt.seed)
    torch.manual_seed(opt.seed)
    tokenizer = Tokenizer(opt.vocab)
    data = Batches(opt.data, tokenizer, opt.seed)
    print(len(data), "pairs", len(tokenizer), "pieces", flush=True)
    net = Static.fresh(len(tokenizer), opt.dimension)
    if opt.init:
        net.table = torch.from_numpy(np.load(opt.init)).float()
    train(net, data, opt)
    net.save(opt.out)


if __name__ == "__main__":
    main()
