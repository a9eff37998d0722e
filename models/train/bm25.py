"""The lexical arm for evaluation: BM25 with stop words, light stemming, split identifiers, the name twice."""

import math
import re
from collections import Counter

import numpy as np

from text import split_identifiers

STOP = set("a an the of to in for on and or is are be with by from at as it this that i me my you your can do does what how please".split())
SUFFIXES = ("ations", "ation", "ings", "ing", "ies", "ers", "er", "ed", "es", "s", "e")


def terms(text: str) -> list[str]:
    return [_stem(word) for word in re.findall(r"[a-z0-9]+", split_identifiers(text).lower()) if word not in STOP]


def _stem(word: str) -> str:
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word


class BM25:
    """k1 = 1.2, b = 0.75: Robertson & Zaragoza 2009."""

    def __init__(self, passages: list[list[str]], k1: float = 1.2, b: float = 0.75):
        lengths = np.array([len(p) for p in passages], float)
        norm = k1 * (1 - b + b * lengths / lengths.mean())
        self.size, self.postings = len(passages), {}
        lists: dict[str, list] = {}
        for number, passage in enumerate(passages):
            for term, count in Counter(passage).items():
                lists.setdefault(term, []).append((number, count))
        for term, entries in lists.items():
            rows, counts = (np.array(x) for x in zip(*entries))
            idf = math.log(1 + (self.size - len(rows) + 0.5) / (len(rows) + 0.5))
            self.postings[term] = rows, idf * counts * (k1 + 1) / (counts + norm[rows])

    def scores(self, query: list[str]) -> np.ndarray:
        out = np.zeros(self.size)
        for term in query:
            if term in self.postings:
                rows, parts = self.postings[term]
                out[rows] += parts
        return out
