#!/usr/bin/env bash
# Makes what the project is compared with: PyTorch, numpy and faiss in a Python environment, Optuna in another, and a newer Node for the kernels with
# fused multiply-add. Out of the package registries, about 2 GB and 3 minutes; a second call finds everything there.
#
#   tools/peers/setup.sh [FOLDER]     default: $TOWERBENCH_PEERS, else .towerbench/peers
#
# Needs python3 (3.10 or newer, with venv), npm, and for the stand-ins of CUDA gcc and binutils.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${TOWERBENCH_PEERS:-$here/../../.towerbench/peers}}
torch=2.15.0
numpy=2.4.6
faiss=1.15.1
optuna=5.0.0
node=24.21.0

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
python=$folder/venv/bin/python
if ! "$python" -c "import torch, numpy, faiss, sys; sys.exit(torch.__version__.split('+')[0] != '$torch')" 2>/dev/null; then
  python3 -m venv "$folder/venv"
  "$python" -m pip install --quiet --disable-pip-version-check "numpy==$numpy" "faiss-cpu==$faiss" \
    filelock fsspec jinja2 networkx setuptools sympy typing-extensions # what torch imports
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps "torch==$torch"
  [ "$(uname -s)" != Linux ] || "$python" "$here/stand_ins.py" "$folder/venv"
fi

optimizer=$folder/optuna/bin/python
if ! "$optimizer" -c "import optuna, sys; sys.exit(optuna.__version__ != '$optuna')" 2>/dev/null; then
  python3 -m venv "$folder/optuna"
  "$optimizer" -m pip install --quiet --disable-pip-version-check "optuna==$optuna" "numpy==$numpy"
fi

# The package `node` only chooses one of these by an install script.
platform=$(node -p 'process.platform + "-" + process.arch')
newer=$folder/node_modules/node-$platform/bin/node
if [ "$("$newer" --version 2>/dev/null)" != "v$node" ]; then
  npm install --prefix "$folder" --no-save --no-audit --no-fund --loglevel=error "node-$platform@$node"
fi

"$python" -c 'import sys, torch, numpy, faiss
print(f"python {sys.version.split()[0]}, torch {torch.__version__}, numpy {numpy.__version__}, faiss {faiss.__version__}")'
"$optimizer" -c 'import optuna; print(f"optuna {optuna.__version__}")'
echo "node $("$newer" --version)"
