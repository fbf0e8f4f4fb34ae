#!/usr/bin/env bash
# Writes py310.txt, py311.txt and py312.txt again from the requirements. Needs uv.
# torch and its GPU libraries stay out: install.sh chooses them for the machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for version in 3.10 3.11 3.12; do
    { cat requirements.txt requirements-dev.txt requirements-stepaudio2.txt; echo "torch==2.13.0"; } |
        uv pip compile - --quiet --upgrade --python-version "$version" --python-platform linux \
            --no-header --no-annotate --no-emit-index-url |
        grep -vE '^(torch|torchaudio|triton|nvidia-.*|cuda-.*)==' >"constraints/py${version/./}.txt"
done
