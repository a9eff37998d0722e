"""Writes the trained model as a Hugging Face folder: model.onnx, tokenizer.json, config.json, manifest.json.

usage: export.py VOCAB MODEL OUT NAME [--golden FILE]
The table is int8 with one scale per row; pooling and L2 norm are in the graph.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from model import Ragged, Static
from tokenizer import Tokenizer

GOLDEN = [
    "who is out sick today",
    "list absences. Returns the absences of all employees in a period. start date end date",
    "create_issue",
    "getUserByID and listPullRequests of GitHub repositories",
    "Wie wird das Wetter morgen in Zürich?",
    "¿Cuánto cuesta el envío a São Paulo?",
    "convert 100 EUR to USD, then email the result to anna@example.com",
    "SELECT * FROM users WHERE id = 42;",
    "azure. azmcp acr registry list. List Azure Container Registries in a subscription.",
    "📧 send a mail — now… «quoted» 日本語 text",
    "supercalifragilisticexpialidocious",
    "fetch front page submissions from Hacker News\nand\tsummarise them",
    "?",
]


def quantise(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 rows and their scales. [V, D], [V, 1]"""
    scale = np.abs(table).max(1, keepdims=True) / 127 + 1e-12
    return np.round(table / scale).astype(np.int8), scale.astype(np.float32)


def graph(table: np.ndarray, weight: np.ndarray) -> onnx.ModelProto:
    """input_ids, attention_mask, token_type_ids [batch, sequence] -> sentence_embedding [batch, D]."""
    rows, scale = quantise(table)
    # The weight of a token is folded into its scale.
    constants = {
        "table": rows,
        "scale": scale * np.exp(weight),
        "axis_last": np.array([2], np.int64),
        "tiny": np.array(1e-12, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["table", "input_ids"], ["rows8"], axis=0),
        node("Cast", ["rows8"], ["rows"], to=TensorProto.FLOAT),
        node("Gather", ["scale", "input_ids"], ["scales"], axis=0),
        node("Cast", ["attention_mask"], ["mask2"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["mask2", "axis_last"], ["mask"]),
        node("Mul", ["scales", "mask"], ["factors"]),
        node("Mul", ["rows", "factors"], ["weighted"]),
        node("ReduceSum", ["weighted", "axis_one"], ["sum"], keepdims=0),
        node("Mul", ["sum", "sum"], ["squares"]),
        node("ReduceSum", ["squares", "axis_one"], ["square"], keepdims=1),
        node("Sqrt", ["square"], ["length"]),
        node("Max", ["length", "tiny"], ["norm"]),
        node("Div", ["sum", "norm"], ["sentence_embedding"]),
    ]
    constants["axis_one"] = np.array([1], np.int64)
    shape = ["batch", "sequence"]
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, shape) for n in ("input_ids", "attention_mask", "token_type_ids")]
    output = helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", table.shape[1]])
    tensors = [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in constants.items()]
    built = helper.make_graph(nodes, "static", inputs, [output], tensors)
    proto = helper.make_model(built, opset_imports=[helper.make_opsetid("", 14)], producer_name="mcpproxy")
    proto.ir_version = 8
    onnx.checker.check_model(proto)
    return proto


def config(vocabulary: int, dimension: int) -> dict:
    return {
        "model_type": "static",
        "architectures": ["StaticSentenceModel"],
        "hidden_size": dimension,
        "vocab_size": vocabulary,
        "max_position_embeddings": 128,
        "pad_token_id": 0,
    }


def manifest(folder: Path, name: str, dimension: int) -> dict:
    """Digest is the SHA-256 over the lines "sha256  name" of the files in the order of their names."""
    files = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.iterdir()) if f.name != "manifest.json"}
    lines = "".join(f"{digest}  {name}\n" for name, digest in files.items())
    return {"name": name, "dim": dimension, "digest": hashlib.sha256(lines.encode()).hexdigest(), "files": files}


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    for part in ("vocab", "model", "out"):
        args.add_argument(part, type=Path)
    args.add_argument("name")
    args.add_argument("--golden", type=Path, help="where to write texts and their vectors for the Go test")
    opt = args.parse_args()
    tokenizer, net = Tokenizer(opt.vocab), Static.load(opt.model)
    table, weight = net.table.numpy(), net.weight.numpy()[:, None]
    opt.out.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(table, weight), str(opt.out / "model.onnx"))
    (opt.out / "tokenizer.json").write_text(tokenizer.hugging_face(), encoding="utf-8")
    (opt.out / "config.json").write_text(json.dumps(config(*table.shape), indent=2) + "\n", encoding="utf-8")
    (opt.out / "manifest.json").write_text(json.dumps(manifest(opt.out, opt.name, table.shape[1]), indent=2) + "\n", encoding="utf-8")
    if opt.golden:
        lists = [tokenizer.encode(text) for text in GOLDEN]
        vectors = net.vectors(Ragged.of(lists))
        golden = [{"text": t, "ids": i, "vector": [round(float(x), 6) for x in v]} for t, i, v in zip(GOLDEN, lists, vectors)]
        opt.golden.write_text(json.dumps(golden, ensure_ascii=False, indent=None).replace("}, {", "},\n{") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
