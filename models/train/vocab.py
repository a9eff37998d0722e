"""Learns the WordPiece vocabulary: byte-pair merges over the corpus' word counts.

usage: vocab.py DATA OUT [--size N]
"""

import argparse
import heapq
from collections import Counter, defaultdict
from pathlib import Path

from corpus import texts
from text import split_identifiers, words

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def count_words(data: Path) -> Counter:
    counts = Counter()
    for text in texts(data, Path(__file__).parent):
        counts.update(word for word in words(split_identifiers(text)) if len(word) <= 32)
    return counts


def alphabet(counts: Counter) -> set[str]:
    """Single characters seen often enough, alone and inside a word."""
    chars = Counter()
    for word, count in counts.items():
        for char in set(word):
            chars[char] += count
    common = {char for char, count in chars.items() if count >= 20 and ord(char) < 0x3000}
    return common | {f"##{char}" for char in common if char.isalnum()}


class Merger:
    """Joins the most frequent neighbouring pieces until the vocabulary is full."""

    def __init__(self, counts: Counter):
        self.counts = {word: count for word, count in counts.items() if count >= 2}
        self.pieces = {word: [word[0], *(f"##{char}" for char in word[1:])] for word in self.counts}
        self.freq, self.where = Counter(), defaultdict(set)
        for word in self.pieces:
            self._count(word, +1)
        self.heap = [(-count, pair) for pair, count in self.freq.items()]
        heapq.heapify(self.heap)

    def _count(self, word: str, sign: int) -> set[tuple[str, str]]:
        pieces = self.pieces[word]
        touched = set(zip(pieces, pieces[1:]))
        for pair in zip(pieces, pieces[1:]):
            self.freq[pair] += sign * self.counts[word]
        for pair in touched:
            (self.where[pair].add if sign > 0 else self.where[pair].discard)(word)
        return touched

    def best(self, floor: int = 3) -> tuple[str, str] | None:
        """The most frequent pair, or None below the floor."""
        while self.heap:
            count, pair = heapq.heappop(self.heap)
            now = self.freq.get(pair, 0)
            if -count == now:
                return pair if now >= floor else None
            if now > 0:
                heapq.heappush(self.heap, (-now, pair))
        return None

    def merge(self, pair: tuple[str, str]) -> str:
        joined = pair[0] + pair[1].removeprefix("##")
        touched = set()
        for word in list(self.where[pair]):
            self._count(word, -1)
            self.pieces[word] = _join(self.pieces[word], pair, joined)
            touched |= self._count(word, +1)
        self.freq.pop(pair, None)
        for changed in touched:
            heapq.heappush(self.heap, (-self.freq[changed], changed))
        return joined


def _join(pieces: list[str], pair: tuple[str, str], joined: str) -> list[str]:
    out, i = [], 0
    while i < len(pieces):
        if tuple(pieces[i : i + 2]) == pair:
            out.append(joined)
            i += 2
        else:
            out.append(pieces[i])
            i += 1
    return out


def learn(counts: Counter, size: int) -> list[str]:
    vocabulary, merger = alphabet(counts), Merger(counts)
    while len(vocabulary) + len(SPECIAL) < size and (pair := merger.best()):
        vocabulary.add(merger.merge(pair))
    return SPECIAL + sorted(vocabulary)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("data", type=Path)
    args.add_argument("out", type=Path)
    args.add_argument("--size", type=int, default=30000)
    opt = args.parse_args()
    vocabulary = learn(count_words(opt.data), opt.size)
    opt.out.write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    print(len(vocabulary), "pieces")


if __name__ == "__main__":
    main()
