#!/bin/sh
# Makes the bundled model from the training text: vocabulary, word knowledge,
# contrastive training of two models, their blend, export, figures. About 12
# minutes of one core.
#
# usage: train.sh DATA WORK [RETRIEVAL]
#   DATA       folder with pairs, texts, wordnet and written (.jsonl.gz)
#   WORK       scratch folder
#   RETRIEVAL  folder with the development sets, for the figures only
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-/usr/bin/python3}
data=$1 work=$2
export PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS="${THREADS:-1}"
mkdir -p "$work"

"$python" "$here/vocab.py" "$data" "$work/vocab.txt" --size 30000
"$python" "$here/pretrain.py" "$data" "$work/vocab.txt" "$work/words.npy" --dimension 256 --seed 1
"$python" "$here/train.py" "$data" "$work/vocab.txt" "$work/calm.pt" --init "$work/words.npy" --steps 2500 --seed 1
"$python" "$here/train.py" "$data" "$work/vocab.txt" "$work/bold.pt" --momentum 0 --steps 1500 --seed 1
"$python" "$here/blend.py" "$data" "$work/vocab.txt" "$work/model.pt" "$work/calm.pt" "$work/bold.pt"
"$python" "$here/export.py" "$work/vocab.txt" "$work/model.pt" "$here/../default" tools-static-1 \
	--golden "$here/../../embed/testdata/golden.json"
if [ $# -gt 2 ]; then
	"$python" "$here/eval.py" "$3" "$data" "$work/vocab.txt" "$work/model.pt" --late 1
fi
