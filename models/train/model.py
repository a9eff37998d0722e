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

    def vectors(self, lists: Ragged) -> torch.Tensor:
        """Unit vectors of texts. [len(lists), D]"""
        ids = torch.from_numpy(lists.flat)
        begins = torch.from_numpy(lists.start[:-1])
        pooled = functional.embedding_bag(ids, self.table, begins, mode="sum", per_sample_weights=torch.exp(self.weight[ids]))
        return functional.normalize(pooled, dim=-1)

    def late(self, queries: Ragged, passages: Ragged) -> torch.Tensor:
        """Late interaction: for each query token the best cosine with any token of the passage,
        averaged by the query tokens' weight times norm. [queries, passages]"""
        unit = functional.normalize(self.table, dim=-1)
        mass = torch.exp(self.weight) * self.table.norm(dim=-1)
        asked, asked_at = np.unique(queries.flat, return_inverse=True)
        told, told_at = np.unique(passages.flat, return_inverse=True)
        asked_ids = torch.from_numpy(asked)
        cosine = unit[asked_ids] @ unit[torch.from_numpy(told)].T
        best = _segment_max(cosine[:, torch.from_numpy(told_at)], passages.start)
        weights = mass[torch.from_numpy(queries.flat)]
        row = torch.from_numpy(np.repeat(np.arange(len(queries)), np.diff(queries.start)))
        total = torch.zeros(len(queries)).index_add(0, row, weights)
        share = torch.sparse_coo_tensor(
            torch.stack([row, torch.from_numpy(asked_at)]), weights / total[row], (len(queries), len(asked))
        )
        return torch.sparse.mm(share, best)

    def save(self, path: Path) -> None:
        torch.save({"table": self.table, "weight": self.weight}, path)

    @classmethod
    def load(cls, path: Path) -> "Static":
        return cls(**torch.load(path))


def _segment_max(values: torch.Tensor, start: np.ndarray) -> torch.Tensor:
    """Maximum over the columns of each segment, whose length is padded with its first column."""
    lengths = np.diff(start)
    grid = start[:-1, None] + np.minimum(np.arange(lengths.max())[None], lengths[:, None] - 1)
    return values[:, torch.from_numpy(grid)].amax(-1)
