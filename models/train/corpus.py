"""The training text: what is read, how often each kind is seen, and what is held out."""

import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from text import tool_text


class Pair(NamedTuple):
    """Two texts that mean the same. Pairs of one group are never each other's negatives."""

    query: str
    passage: str
    group: str


def rows(path: Path) -> Iterator[dict]:
    """Each line of a JSON-lines file, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def held_out(pid: str) -> bool:
    """Whether a tool belongs to the tenth that training never sees."""
    return hashlib.sha256(pid.encode()).digest()[0] < 26


def named_text(positive: str) -> str:
    """The tool text of "name: description"."""
    name, _, description = positive.partition(":")
    return tool_text(name, description.strip())


def texts(data: Path, own: Path) -> Iterator[str]:
    """Every plain text, for the vocabulary and for the co-occurrence counts."""
    seen = set()
    for row in rows(data / "pairs.jsonl.gz"):
        if held_out(row["pid"]):
            continue
        seen.add(row["positive"])
        yield row["positive"] if row["kind"] == "name" else f"{row['query']} {row['positive']}"
    for row in rows(data / "texts.jsonl.gz"):
        if row["text"] not in seen:
            yield row["text"]
    for row in rows(data / "written.jsonl.gz"):
        if not held_out(row["pid"]):
            yield row["query"]
    for row in rows(own / "data" / "queries.jsonl.gz"):
        if not held_out(row["pid"]):
            yield row["query"]
    for row in rows(data / "wordnet.jsonl.gz"):
        yield ". ".join([", ".join(row["members"]), row["def"], ", ".join(row["hyper"]), *row["ex"]])
    for line in concepts(own):
        yield ", ".join(line)


def concepts(own: Path) -> list[list[str]]:
    """Our own lexicon: each line is one concept, the service's word first, then how people say it."""
    path = own / "concepts.txt"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[phrase.strip() for phrase in line.replace(":", ",").split(",") if phrase.strip()] for line in lines if line and line[0] != "#"]


def pairs(data: Path, own: Path, seed: int) -> list[Pair]:
    """The contrastive pairs, each as often as an epoch sees it."""
    dice = random.Random(seed)
    first = {r["pid"]: r["query"] for r in rows(data / "pairs.jsonl.gz") if r["kind"] == "doc"}
    out = [*_written(data, first), *_own_requests(own), *_documented(data, first, dice), *_wordnet(data, dice), *_concepts(own, dice)]
    dice.shuffle(out)
    return out


def _written(data: Path, first: dict[str, str]) -> Iterator[Pair]:
    """Requests for real tools: four times against the text without its first sentence, once with it."""
    for row in rows(data / "written.jsonl.gz"):
        pid = row["pid"]
        if held_out(pid):
            continue
        name, _, rest = row["tool"].partition(":")
        thin, full = tool_text(name, rest.strip()), tool_text(name, f"{first.get(pid, '')} {rest.strip()}".strip())
        for passage in (thin, thin, thin, thin, full):
            yield Pair(row["query"], passage, pid)


def _own_requests(own: Path) -> Iterator[Pair]:
    """Requests that this project wrote, four times each; `tool` is "name: whole description"."""
    for row in rows(own / "data" / "queries.jsonl.gz"):
        if not held_out(row["pid"]):
            yield from [Pair(row["query"], named_text(row["tool"]), row["pid"])] * 4


def _documented(data: Path, first: dict[str, str], dice: random.Random) -> Iterator[Pair]:
    """Documentation and mined requests; the easy kinds thinned out."""
    keep = {"name": 0.35, "nl-intent": 0.5}
    for row in rows(data / "pairs.jsonl.gz"):
        if not held_out(row["pid"]) and dice.random() < keep.get(row["kind"], 1):
            yield Pair(row["query"], named_text(row["positive"]), row["pid"])


def _wordnet(data: Path, dice: random.Random) -> Iterator[Pair]:
    """Synonyms, glosses, hypernyms and examples of every synset."""
    for number, row in enumerate(rows(data / "wordnet.jsonl.gz")):
        members, gloss, group = row["members"], row["def"], f"synset{number}"
        yield Pair(", ".join(members[:3]), gloss, group)
        if len(members) > 1:
            yield Pair(members[0], members[1], group)
        if row["hyper"] and dice.random() < 0.5:
            yield Pair(members[0], row["hyper"][0], group)
        if row["ex"]:
            yield Pair(row["ex"][0], gloss, group)


def _concepts(own: Path, dice: random.Random) -> Iterator[Pair]:
    """Ten draws from every concept of the lexicon: some of its phrases against some others."""
    for number, phrases in enumerate(concepts(own)):
        for _ in range(10):
            shuffled = dice.sample(phrases, len(phrases))
            cut = dice.randint(1, min(3, len(phrases) - 1))
            yield Pair(" ".join(shuffled[:cut]), ", ".join(shuffled[cut : cut + 4]), f"concept{number}")
