"""WordPiece by greedy longest match, and its tokenizer.json."""

import json
from pathlib import Path

from text import split_identifiers, words

UNKNOWN = 1


class Tokenizer:
    """Turns texts into token ids; remembers every word it has cut."""

    def __init__(self, path: Path):
        self.pieces = path.read_text(encoding="utf-8").split("\n")[:-1]
        self.ids = {piece: number for number, piece in enumerate(self.pieces)}
        self._known: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str, limit: int = 128) -> list[int]:
        """At most limit ids of a text; [UNK] for an empty one."""
        out = [number for word in words(split_identifiers(text[:1000])) for number in self._word(word)]
        return out[:limit] or [UNKNOWN]

    def _word(self, word: str) -> list[int]:
        if word not in self._known:
            self._known[word] = self._cut(word)
        return self._known[word]

    def _cut(self, word: str) -> list[int]:
        out, start = [], 0
        while start < len(word) <= 100:
            prefix = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((e for e in ends if prefix + word[start:e] in self.ids), None)
            if end is None:
                return [UNKNOWN]
            out.append(self.ids[prefix + word[start:end]])
            start = end
        return out or [UNKNOWN]

    def hugging_face(self) -> str:
        """The text of tokenizer.json."""
        special = [
            {"id": i, "content": self.pieces[i], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
            for i in range(5)
        ]
        return json.dumps(
            {
                "version": "1.0",
                "truncation": None,
                "padding": None,
                "added_tokens": special,
                "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": True, "lowercase": True},
                "pre_tokenizer": {"type": "BertPreTokenizer"},
                "post_processor": None,
                "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
                "model": {
                    "type": "WordPiece",
                    "unk_token": "[UNK]",
                    "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 100,
                    "vocab": self.ids,
                },
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
