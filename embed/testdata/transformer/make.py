#!/usr/bin/env python3
"""Writes the model of this folder: MiniLM's shape (BERT, token embeddings out,
Hugging Face layout) with two layers, 32 dimensions and random weights, and
golden.json with what PyTorch makes of a few texts (mean over tokens, L2 norm).

    python3 make.py        needs Debian's python3-torch
"""
import json, math, os, random, string
import torch
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
DIM, HEADS, LAYERS, INNER, POSITIONS = 32, 4, 2, 64, 128
torch.manual_seed(7)

WORDS = "a an the list get read write file files send mail message issue issues create open close pull request search who is out today time in zone weather".split()
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(string.ascii_lowercase) + ["##" + c for c in string.ascii_lowercase] + list(string.digits) + ["##" + c for c in string.digits] + list(".,:?![]") + [w for w in WORDS if len(w) > 1]
VOCAB = list(dict.fromkeys(VOCAB))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(DIM, DIM) for _ in range(4))
        self.up, self.down = nn.Linear(DIM, INNER), nn.Linear(INNER, DIM)
        self.norm1, self.norm2 = nn.LayerNorm(DIM, eps=1e-12), nn.LayerNorm(DIM, eps=1e-12)

    def heads(self, x):
        return x.view(x.size(0), x.size(1), HEADS, DIM // HEADS).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        scores = torch.matmul(self.heads(self.query(x)), self.heads(self.key(x)).transpose(-1, -2)) / math.sqrt(DIM // HEADS)
        seen = torch.matmul(torch.softmax(scores + mask, -1), self.heads(self.value(x))).permute(0, 2, 1, 3)
        x = self.norm1(x + self.out(seen.reshape(x.size(0), x.size(1), DIM)))
        return self.norm2(x + self.down(nn.functional.gelu(self.up(x))))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.word, self.position, self.kind = nn.Embedding(len(VOCAB), DIM), nn.Embedding(POSITIONS, DIM), nn.Embedding(2, DIM)
        self.norm = nn.LayerNorm(DIM, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.register_buffer("positions", torch.arange(POSITIONS).unsqueeze(0))

    def forward(self, input_ids, attention_mask, token_type_ids):
        positions = self.positions[:, : input_ids.size(1)]
        x = self.norm(self.word(input_ids) + self.kind(token_type_ids) + self.position(positions))
        mask = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -10000.0
        for layer in self.layers:
            x = layer(x, mask)
        return x


def wordpiece(word):
    pieces, at = [], 0
    while at < len(word):
        end = len(word)
        while end > at and ("##" if at else "") + word[at:end] not in VOCAB:
            end -= 1
        if end == at:
            return [VOCAB.index("[UNK]")]
        pieces.append(VOCAB.index(("##" if at else "") + word[at:end]))
        at = end
    return pieces


def ids(text):
    """For lower-case texts of words and spaces, which is what golden.json has."""
    return [2] + [i for word in text.split() for i in wordpiece(word)] + [3]


def save(name, value):
    with open(os.path.join(HERE, name), "w") as f:
        json.dump(value, f, separators=(",", ":"))


model = Transformer().eval()
tensors = lambda rows: tuple(torch.tensor(r) for r in rows)
sample = tensors(([[2, 10, 3], [2, 11, 3]], [[1, 1, 1], [1, 1, 1]], [[0, 0, 0], [0, 0, 0]]))
axes = {0: "batch_size", 1: "sequence_length"}
torch.onnx.export(
    model, sample, os.path.join(HERE, "model.onnx"), opset_version=14,
    input_names=["input_ids", "attention_mask", "token_type_ids"], output_names=["last_hidden_state"],
    dynamic_axes={name: axes for name in ["input_ids", "attention_mask", "token_type_ids", "last_hidden_state"]})

token = lambda i: {"id": i, "content": VOCAB[i], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
special = lambda name, kind: {"SpecialToken": {"id": name, "type_id": kind}}
save("tokenizer.json", {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [token(i) for i in range(5)],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {
        "type": "TemplateProcessing", "single": [special("[CLS]", 0), {"Sequence": {"id": "A", "type_id": 0}}, special("[SEP]", 0)],
        "pair": [special("[CLS]", 0), {"Sequence": {"id": "A", "type_id": 0}}, special("[SEP]", 0), {"Sequence": {"id": "B", "type_id": 1}}, special("[SEP]", 1)],
        "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
              "vocab": {w: i for i, w in enumerate(VOCAB)}}})
save("config.json", {
    "architectures": ["BertModel"], "model_type": "bert", "hidden_size": DIM, "num_attention_heads": HEADS, "num_hidden_layers": LAYERS,
    "intermediate_size": INNER, "max_position_embeddings": POSITIONS, "type_vocab_size": 2, "vocab_size": len(VOCAB), "pad_token_id": 0})

golden = []
for text in ["list the open issues", "send a mail message", "who is out today", "weather", "read file " * 25]:
    row = ids(text)
    with torch.no_grad():
        out = model(*tensors(([row], [[1] * len(row)], [[0] * len(row)])))[0].mean(0)
    golden.append({"text": text.strip(), "ids": row, "vector": [round(v, 6) for v in (out / out.norm()).tolist()]})
save("golden.json", golden)
