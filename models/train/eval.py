"""Ranks the development sets with BM25, the vectors, late interaction and their sums.

usage: eval.py RETRIEVAL DATA VOCAB MODEL [--weight W] [--late W]
Recall@5 is the mean share of found groups; NDCG@10 counts the first tool of each group.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch

from bm25 import BM25, STOP, terms
from corpus import held_out, rows
from model import Ragged, Static
from text import split_identifiers, tool_text, words
from tokenizer import Tokenizer


class Set:
    """Tools, requests, and which tools answer each request."""

    def __init__(self, name: str, tools: list[dict], queries: list[dict]):
        self.name, self.queries = name, queries
        self.texts = [tool_text(t["name"], t["description"], t["parameters"], t["server"]) for t in tools]
        at = {t["id"]: i for i, t in enumerate(tools)}
        self.groups = [[{at[x] for x in g} for g in q.get("groups") or [[x] for x in q["relevant"]]] for q in queries]
        self.styles = [q.get("set", name) for q in queries]
        self._lexical_input = [terms(f"{t['name']} {t['name']} {t['description']} {' '.join(t['parameters'])}") for t in tools]

    def lexical(self) -> np.ndarray:
        index = BM25(self._lexical_input)
        return np.stack([index.scores(terms(q["query"])) for q in self.queries]).astype(np.float32)


def load(folder: Path, queries: str = "queries.jsonl", name: str = "") -> Set:
    tools = []
    for row in rows(folder / "tools.jsonl"):
        schema = row.get("input_schema") or {}
        tools.append({**row, "description": row["description"] or "", "parameters": list(schema.get("properties") or {})})
    return Set(name or folder.name, tools, list(rows(folder / queries)))


def load_held_out(data: Path) -> Set:
    """The held-out tenth's requests among all the tools of the written set."""
    tools, queries = {}, []
    for row in rows(data / "written.jsonl.gz"):
        name, _, description = row["tool"].partition(":")
        tools[row["pid"]] = {"id": row["pid"], "name": name, "description": description, "parameters": [], "server": ""}
        if held_out(row["pid"]):
            queries.append({"query": row["query"], "relevant": [row["pid"]], "set": f"heldout-{row['style']}"})
    return Set("heldout", list(tools.values()), queries)


def measure(scores: np.ndarray, groups: list[list[set]]) -> np.ndarray:
    """Recall@5 and NDCG@10 of every query. [queries, 2]"""
    out = []
    for row, wanted in zip(scores, groups):
        top = np.argsort(-row, kind="stable")[:10]
        found, gain, first = set(), 0.0, 0
        for rank, tool in enumerate(top):
            new = next((i for i, g in enumerate(wanted) if tool in g and i not in found), None)
            if new is not None:
                found.add(new)
                gain += 1 / math.log2(rank + 2)
            if rank == 4:
                first = sum(1 for g in wanted if g & set(top[:5]))
        out.append((first / len(wanted), gain / sum(1 / math.log2(i + 2) for i in range(min(10, len(wanted))))))
    return np.array(out)


def spread(scores: np.ndarray) -> np.ndarray:
    """Each query's scores stretched over [0, 1]."""
    low, high = scores.min(1, keepdims=True), scores.max(1, keepdims=True)
    return (scores - low) / (high - low + 1e-9)


def content_words(text: str) -> list[str]:
    """Its distinct words that say something, at most 96."""
    found = dict.fromkeys(words(split_identifiers(text[:1000])))
    return [w for w in found if w not in STOP and any(c.isalnum() for c in w)][:96]


def late_scores(net: Static, tokenizer: Tokenizer, data: Set) -> np.ndarray:
    """Late interaction over words: for each word of the request the best cosine with any word of the
    tool, averaged by the length of its unnormalised vector."""
    asked = [content_words(q["query"]) for q in data.queries]
    told = [content_words(text) for text in data.texts]
    asked_at, told_at = ({w: i for i, w in enumerate(sorted({w for ws in lists for w in ws}))} for lists in (asked, told))
    sums = net.sums(Ragged.of([tokenizer.encode(w) for w in asked_at]))
    mass = sums.norm(dim=-1).numpy()
    cosine = (sums / sums.norm(dim=-1, keepdim=True) @ net.vectors(Ragged.of([tokenizer.encode(w) for w in told_at])).T).numpy()
    best = np.stack([cosine[:, [told_at[w] for w in ws]].max(1) if ws else np.zeros(len(asked_at)) for ws in told], 1)
    out = np.zeros((len(asked), len(told)), np.float32)
    for row, ws in zip(out, asked):
        at = [asked_at[w] for w in ws]
        if at:
            row[:] = mass[at] @ best[at] / mass[at].sum()
    return out


def arms(net: Static, tokenizer: Tokenizer, data: Set, late: bool) -> dict[str, np.ndarray]:
    queries = Ragged.of([tokenizer.encode(q["query"]) for q in data.queries])
    passages = Ragged.of([tokenizer.encode(text) for text in data.texts])
    out = {"bm25": data.lexical(), "vector": (net.vectors(queries) @ net.vectors(passages).T).numpy()}
    if late:
        out["late"] = late_scores(net, tokenizer, data)
    return out


def report(data: Set, arm: dict[str, np.ndarray], opt: argparse.Namespace) -> dict[str, tuple]:
    ranked = {name: measure(scores, data.groups) for name, scores in arm.items()}
    mixed = spread(arm["bm25"]) + opt.weight * spread(arm["vector"])
    ranked["hybrid"] = measure(mixed, data.groups)
    if "late" in arm:
        ranked["hybrid+late"] = measure(mixed + opt.late * spread(arm["late"]), data.groups)
    styles = np.array(data.styles)
    for name in [data.name, *(sorted(set(styles)) if data.name in ("written", "heldout") else ())]:
        mask = styles == name if name != data.name else np.ones(len(styles), bool)
        print(f"{name:16s} {mask.sum():5d} " + "  ".join(f"{k} {v[mask, 0].mean():.3f}/{v[mask, 1].mean():.3f}" for k, v in ranked.items()), flush=True)
    return {k: tuple(v.mean(0)) for k, v in ranked.items()}


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    for name in ("retrieval", "data", "vocab", "model"):
        args.add_argument(name, type=Path)
    args.add_argument("--weight", type=float, default=1.0, help="of the vectors against BM25")
    args.add_argument("--late", type=float, default=0.0, help="of late interaction against BM25; 0 leaves it out")
    opt = args.parse_args()
    torch.set_num_threads(1)
    tokenizer, net = Tokenizer(opt.vocab), Static.load(opt.model)
    sets = [
        load(opt.retrieval / "metatool"),
        load(opt.retrieval / "mcp-real"),
        load(opt.retrieval / "mcp-real", "queries_written.jsonl", "written"),
        load(opt.retrieval / "seal-tools"),
        load_held_out(opt.data),
    ]
    print("recall@5 / NDCG@10")
    found = []
    for data in sets:
        arm = arms(net, tokenizer, data, opt.late > 0)
        found.append(report(data, arm, opt))
    print(f"{'mean':16s}       " + "  ".join(f"{k} {np.mean([f[k][0] for f in found]):.3f}/{np.mean([f[k][1] for f in found]):.3f}" for k in found[0]))


if __name__ == "__main__":
    main()
