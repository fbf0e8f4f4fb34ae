#!/usr/bin/env bash
# Sets up .venv/base and the embedded checkpoint. Running it again costs a second or two.
#
#   bash install.sh          what the service needs
#   bash install.sh --dev    and the tools that check the code
#   bash install.sh --quiet  say nothing when there is nothing to do
#
# PYTHON            interpreter to use (3.10 to 3.12)
# TORCH_SPEC        what to install instead of the default torch, e.g. "torch==2.13.0"
# TORCH_INDEX_URL   package index for torch alone, e.g. PyTorch's CPU or CUDA index
# SKIP_FLASH_ATTN=1 leave flash-attn out on a GPU machine; MAX_JOBS limits its compiler jobs
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

VENV=.venv/base
LOG=tmp/install.log

say() { printf '%s\n' "$*"; }
fail() {
    printf 'install.sh: %s\n' "$1" >&2
    printf '  -> %s\n' "${@:2}" >&2
    exit 1
}

with_dev_tools=no
quiet=no
for argument in "$@"; do
    case "$argument" in
    --dev) with_dev_tools=yes ;;
    --quiet) quiet=yes ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) fail "unknown option $argument" "Known options: --dev --quiet --help" ;;
    esac
done

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3 python3.10 python3.12; do
        if "$candidate" -c 'import sys, venv, ensurepip
sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
        [ "$candidate" != "${PYTHON:-}" ] || say "PYTHON=$PYTHON cannot be used, looking further" >&2
    done
    fail "no usable Python 3.10, 3.11 or 3.12 was found" \
        "Install one together with its venv module (Debian, Ubuntu: apt-get install python3 python3-venv)" \
        "or name one: PYTHON=/path/to/python3.11 bash install.sh"
}

has_gpu() {
    if command -v nvidia-smi >/dev/null 2>&1; then
        nvidia-smi --list-gpus 2>/dev/null | grep -q GPU
    else
        compgen -G '/proc/driver/nvidia/gpus/*' >/dev/null
    fi
}

require_disk_gib() {
    local free_gib
    free_gib=$(($(df -Pk . | awk 'NR == 2 {print $4}') / 1024 / 1024))
    [ "$free_gib" -ge "$1" ] ||
        fail "only $free_gib GiB are free on the disk of $PWD; the installation needs $1 GiB" \
            "Free some space, or clone the project to a larger disk"
}

# Runs pip, shows and keeps what it says, and turns the usual failures into advice.
pip_install() {
    local from_line
    from_line=$(($(wc -l <"$LOG") + 1))
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input "$@" 2>&1 |
        tee -a "$LOG" | { grep --line-buffered -v '^Requirement already satisfied' || true; } &&
        return
    local said
    said=$(tail -n "+$from_line" "$LOG")
    case "$said" in
    *"No space left on device"*)
        fail "the disk is full" "Free some space and run install.sh again" ;;
    *NewConnectionError* | *NameResolutionError* | *ConnectTimeout* | *ProxyError* | \
        *"Network is unreachable"* | *"name resolution"* | *"Read timed out"* | *SSLError*)
        fail "the package index cannot be reached" \
            "Check the network and the proxy (HTTPS_PROXY), or name a mirror (PIP_INDEX_URL), and run install.sh again" ;;
    *)
        fail "pip could not install: $*" "The whole output is in $LOG" ;;
    esac
}

if ! "$VENV/bin/python" -c 'import pip' >/dev/null 2>&1; then
    PYTHON_FOUND=$(find_python)
    require_disk_gib 1
    say "Making $VENV with $PYTHON_FOUND"
    "$PYTHON_FOUND" -m venv --clear "$VENV"
fi
python_version=$("$VENV/bin/python" -c 'import sys; print("%d%d" % sys.version_info[:2])')
constraints="constraints/py$python_version.txt"
[ -f "$constraints" ] ||
    fail "$VENV holds Python $python_version, which the service does not support" \
        "Delete $VENV and run install.sh again"

gpu=no
! has_gpu || gpu=yes
if [ "$gpu" = yes ]; then
    torch_spec=${TORCH_SPEC:-torch==2.8.0 torchaudio==2.8.0}
else
    torch_spec=${TORCH_SPEC:-torch==2.13.0}
fi

# --- packages: skipped while nothing that decides about them has changed
requirements=(-r requirements.txt)
stamps=("$VENV/.installed-dev" "$VENV/.installed-service") # the tools include what the service needs
if [ "$with_dev_tools" = yes ]; then
    requirements+=(-r requirements-dev.txt)
    stamps=("$VENV/.installed-dev")
fi
inputs=$({
    cat install.sh requirements*.txt "$constraints" deploy/check_install.py
    printf '%s|' "$gpu" "$torch_spec" "${TORCH_INDEX_URL:-}" "${SKIP_FLASH_ATTN:-}"
} | sha256sum | cut -d' ' -f1)
stamp=$(grep -lxF "$inputs" "${stamps[@]}" 2>/dev/null | head -n 1) || true

if [ -n "$stamp" ]; then
    [ "$quiet" = yes ] || { say "The packages are up to date:" && tail -n +2 "$stamp"; }
else
    mkdir -p tmp
    : >"$LOG"
    require_disk_gib "$([ "$gpu" = yes ] && echo 12 || echo 3)"
    say "Installing $torch_spec ($([ "$gpu" = yes ] && echo 'NVIDIA GPU found' || echo 'no GPU found'))"
    read -ra torch_packages <<<"$torch_spec"
    if [ -n "${TORCH_INDEX_URL:-}" ]; then # such an index may lack the versions in the constraints
        pip_install --index-url "$TORCH_INDEX_URL" "${torch_packages[@]}"
    else
        pip_install -c "$constraints" "${torch_packages[@]}"
    fi
    say "Installing the requirements"
    pip_install "${requirements[@]}" -c "$constraints"
    pip_install --no-deps -r requirements-minicpmo.txt
    if [ "$gpu" = yes ] && [ -z "${SKIP_FLASH_ATTN:-}" ]; then
        if command -v nvcc >/dev/null 2>&1; then
            say "Installing flash-attn; this may take long, SKIP_FLASH_ATTN=1 leaves it out"
            MAX_JOBS=${MAX_JOBS:-4} timeout 30m "$VENV/bin/python" -m pip install \
                --disable-pip-version-check --no-build-isolation 'flash-attn>=2.7.1,<2.8.3' \
                >>"$LOG" 2>&1 || say "flash-attn could not be built; attention uses SDPA ($LOG)"
        else
            say "flash-attn is left out, there is no CUDA compiler; attention uses SDPA"
        fi
    fi
    report=$("$VENV/bin/python" deploy/check_install.py) ||
        fail "some packages cannot be imported" "$report" "Delete $VENV and run install.sh again"
    stamp=${stamps[-1]}
    printf '%s\n%s\n' "$inputs" "$report" >"$stamp"
    printf 'Installed:\n%s\n' "$report"
fi

# --- the checkpoint that answers where there are neither a GPU nor weights, nor the trained one
recipe=$(find MiniCPMO45/tiny* -type f -not -name '*.pyc' -print0 | sort -z | xargs -0 cat | sha256sum)
if [ ! -f resources/nano/model.safetensors ] &&
    [ "$(cat resources/embedded/.recipe 2>/dev/null)" != "$recipe" ]; then
    say "Building the embedded checkpoint"
    "$VENV/bin/python" -m MiniCPMO45.tiny resources/embedded ||
        fail "the embedded checkpoint could not be built" "The lines above say why"
    printf '%s\n' "$recipe" >resources/embedded/.recipe
fi
[ "$quiet" = yes ] || say "Ready. Start the service with: bash start_all.sh"
