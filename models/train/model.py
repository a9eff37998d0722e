"""The static sentence model: a token table, a learned weight per token, a weighted mean."""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional


class Ragged:
    """Token lists of different lengths in one flat array."""

    def __init__(self, flat: np.ndarray, lengths: list[int]):
        self.flat, self.start = flat, np.concatenate([[0], np.cumsum(lengths)])

    @classmethod
    def of(cls, lists: list[list[int]]) -> "Ragged":
        return cls(np.fromiter((t for ids in lists for t in ids), np.int64), [len(ids) for ids in lists])

    def __len__(self) -> int:
        return len(self.start) - 1

    def __getitem__(self, i: int) -> np.ndarray:
        return self.flat[self.start[i] : self.start[i + 1]]

    def pick(self, numbers) -> "Ragged":
        """The lists with these numbers."""
        parts = [self[i] for i in numbers]
        return Ragged(np.concatenate(parts), [len(p) for p in parts])

    def renamed(self, flat: np.ndarray) -> "Ragged":
        """The same lists over other ids."""
        return Ragged(flat, np.diff(self.start))


class Static:
    """Vector of a text = normalised sum of exp(weight) * row over its tokens."""

    def __init__(self, table: torch.Tensor, weight: torch.Tensor):
        self.table, self.weight = table, weight  # [V, D], [V]

    @classmethod
    def fresh(cls, vocabulary: int, dimension: int) -> "Static":
        return cls(torch.randn(vocabulary, dimension) * 0.1, torch.zeros(vocabulary))

    def rows(self, ids: torch.Tensor) -> "Static":
        """A copy of some rows, to take gradients of."""
        return Static(self.table[ids].requires_grad_(), self.weight[ids].requires_grad_())

    def sums(self, lists: Ragged) -> torch.Tensor:
        """The weighted sum of every text's rows; its norm says how much the text weighs. [len(lists), D]"""
        ids = torch.from_numpy(lists.flat)
        begins = torch.from_numpy(lists.start[:-1])
        return functional.embedding_bag(ids, self.table, begins, mode="sum", per_sample_weights=torch.exp(self.weight[ids]))

    def vectors(self, lists: Ragged) -> torch.Tensor:
        """Unit vectors of texts. [len(lists), D]"""
        return functional.normalize(self.sums(lists), dim=-1)

    def save(self, path: Path) -> None:
        torch.save({"table": self.table, "weight": self.weight}, path)

    @classmethod
    def load(cls, path: Path) -> "Static":
        return cls(**torch.load(path))
