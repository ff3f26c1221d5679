#!/usr/bin/env bash
# Makes the trackers that ours works with and is compared with: MLflow, Optuna and Trackio in a Python environment of their own. Out of
# the package registry, about 1 GB and 5 minutes; a second call finds everything there.
#
#   tools/trackers/setup.sh [FOLDER]     default: $TOWERBENCH_TRACKERS, else .towerbench/trackers
#
# Needs python3 (3.10 or newer, with venv).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${TOWERBENCH_TRACKERS:-$here/../../.towerbench/trackers}}
packages=("mlflow==3.17.2" "optuna==5.0.0" "trackio==0.43.0")

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
python=$folder/venv/bin/python
[ -x "$python" ] || python3 -m venv "$folder/venv"
found=$("$python" -m pip list --format=freeze --disable-pip-version-check)
for package in "${packages[@]}"; do
  grep -qx "$package" <<<"$found" || missing=yes
done
[ -z "${missing:-}" ] || "$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"

echo "$("$python" --version | tr '[:upper:]' '[:lower:]'), ${packages[*]}"
