#!/usr/bin/env bash
# Makes the Python environment that data:bench compares with: pandas and pyarrow. Out of the package registry, about 250 MB and a minute;
# a second call finds everything there.
#
#   tools/peers/setup-pandas.sh [FOLDER]     default: $TOWERBENCH_PEERS, else .towerbench/peers
#
# Needs python3 (3.11 or newer, with venv).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${TOWERBENCH_PEERS:-$here/../../.towerbench/peers}}
packages=("pandas==3.1.1" "pyarrow==26.0.1")

mkdir -p "$folder"
python=$folder/pandas/bin/python
[ -x "$python" ] || python3 -m venv "$folder/pandas"
"$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
echo "$("$python" --version | tr '[:upper:]' '[:lower:]'), ${packages[*]}"
