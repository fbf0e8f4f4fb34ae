#!/usr/bin/env bash
# Sets up what the checks need and runs all of them; fails if one of them does.
#
#   bash run_tests.sh          under 20 minutes on two cores
#   bash run_tests.sh --full   also the long runs: soaks, full loads, every width, theme and language
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

PYTHON=.venv/base/bin/python
LAST_FULL_RUN=tmp/last_full_run
GOLDEN_GROUPS=01,02,03,04,05,06,07,08,09,10,11,12,13 # must be replayed, not skipped

# What needs neither torch nor the model is also tried under the other supported Python versions.
TORCH_FREE_TESTS=(
    tests/test_schemas.py
    tests/test_{api,queue,integration}.py
    tests/service/test_gateway_imports.py
    tests/unit/test_{app_registry,presets,ref_audio_registry,voice_folders,voice_sound}.py
    tests/unit/test_{call_gate,diagnostic_log,session_ids,tasks}.py
    tests/unit/test_{login,private_file,slow_clients,ticket_ids}.py
    tests/unit/test_{client_limits,gateway_answers,gateway_metrics,membership,process_logs}.py
    tests/unit/test_{config,errors,eta,frame_buffer,gateway_access,gateway_cli,launcher,lease,logs}.py
    tests/unit/test_{queue_progress,streaming_frames,supervisor,tls,worker_choice}.py
)

full=no
for argument in "$@"; do
    case "$argument" in
    --full) full=yes ;;
    *)
        echo "run_tests.sh: unknown option $argument; the only one is --full" >&2
        exit 2
        ;;
    esac
done
[ "$full" = no ] || export FULL_TESTS=1

passed=()
failed=()
started_s=$SECONDS

# stage NAME COMMAND...: runs the command and notes how it went and how long it took.
stage() {
    local name=$1 from_s=$SECONDS outcome
    shift
    printf '\n=== %s\n' "$name"
    if "$@"; then
        outcome=passed
        passed+=("$name")
    else
        outcome=FAILED
        failed+=("$name")
    fi
    report+=$(printf '%-8s %5d s  %s' "$outcome" $((SECONDS - from_s)) "$name")$'\n'
    [ "$outcome" = passed ]
}
report=

apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
}

has_node() { node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; }

has_npm() { command -v npm >/dev/null; }

has_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

set_up() {
    bash install.sh --dev || return
    has_node || { apt_install nodejs && has_node; } || {
        echo "Install the package nodejs, version 20 or newer, and run this again." >&2
        return 1
    }
    has_npm || { apt_install npm && has_npm; } || {
        echo "Install the package npm and run this again." >&2
        return 1
    }
    has_chromium >/dev/null || { apt_install chromium && has_chromium >/dev/null; } || {
        echo "Install the package chromium and run this again." >&2
        return 1
    }
    npm ci --no-audit --no-fund || return
    echo "node $(node --version), $("$(has_chromium)" --version 2>/dev/null)"
}

python_lint() {
    .venv/base/bin/ruff check . && .venv/base/bin/ruff format --check .
}

golden_under_transformers_5() {
    "$PYTHON" -m pip install -qq --disable-pip-version-check --no-deps --upgrade \
        --target .venv/transformers5 -r requirements-transformers5.txt &&
        PYTHONPATH=.venv/transformers5 "$PYTHON" -c \
            'import transformers as t; print("transformers", t.__version__); assert t.__version__ >= "5"' &&
        PYTHONPATH=.venv/transformers5 "$PYTHON" -m tests.golden tests/golden/data \
            --group 01 --group 07 --require 01,07
}

# Prints a Python of that version, from the PATH or among those that pyenv keeps.
find_python() {
    local candidate
    for candidate in "python$1" "$(pyenv root 2>/dev/null)/versions/$1".*/bin/python; do
        if "$candidate" -c 'import venv, ensurepip' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# Other work may hold the cores of a busy machine for a moment. So a test that fails gets a second
# try, one that judges times a third; those that needed it are listed. One that hangs is ended, but
# for the long ones of a full run.
SECOND_TRY=(--reruns 1 -raR)
LONGEST_TEST=(--timeout 400 -o timeout_func_only=true) # each try of its own
[ "$full" = no ] || LONGEST_TEST=()

# A folder of its own holds the service's packages without torch and the model's.
torch_free_tests() {
    local version=$1 python=$2 venv=.venv/torch-free-$1
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv" || return
    sed -n '/^# Service/,$p' requirements.txt |
        cat - <(printf '%s\n' hypothesis numpy Pillow av PyYAML \
            pytest-rerunfailures pytest-timeout pytest-xdist) |
        "$venv/bin/python" -m pip install -qq --disable-pip-version-check \
            -c "constraints/py${version/./}.txt" -r /dev/stdin || return
    ! "$venv/bin/python" -c 'import torch' 2>/dev/null || { echo "torch is in $venv"; return 1; }
    "$venv/bin/python" -m pytest -q -n 2 --dist loadfile -p no:cacheprovider \
        "${SECOND_TRY[@]}" "${LONGEST_TEST[@]}" "${TORCH_FREE_TESTS[@]}"
}

stage "Set-up" set_up || {
    printf '\n%s\n' "$report"
    exit 1
}
stage "Lint and format (Python)" python_lint
stage "Types" .venv/base/bin/basedpyright
stage "Import contracts" .venv/base/bin/lint-imports
stage "Lint (JavaScript)" npm run --silent lint
stage "Unit tests (JavaScript)" npm test --silent
# Side by side, tests with a thread each are faster than with several that wait for each other.
stage "Unit tests" env OMP_NUM_THREADS=1 "$PYTHON" -m pytest -q -n 2 --dist loadfile "${SECOND_TRY[@]}" \
    "${LONGEST_TEST[@]}" -m "not gpu and not browser" --ignore tests/service
stage "Service tests" env OMP_NUM_THREADS=1 "$PYTHON" -m pytest -q -n 3 --dist loadfile "${SECOND_TRY[@]}" \
    "${LONGEST_TEST[@]}" -m "not alone" tests/service
stage "Service tests that judge times" "$PYTHON" -m pytest -q -m alone --reruns 2 -raR \
    "${LONGEST_TEST[@]}" tests/service
stage "Golden recordings" "$PYTHON" -m tests.golden tests/golden/data --require "$GOLDEN_GROUPS"
stage "Golden text recordings under transformers 5" golden_under_transformers_5
for version in 3.10 3.12; do
    if python=$(find_python "$version"); then
        stage "Tests without torch under Python $version" torch_free_tests "$version" "$python"
    else
        report+="not run           Tests without torch under Python $version: it is not installed"$'\n'
    fi
done
stage "Browser tests" "$PYTHON" -m pytest -q -n 2 --dist loadfile "${SECOND_TRY[@]}" \
    "${LONGEST_TEST[@]}" -m browser

printf '\n=== Summary (%d s)\n%s' $((SECONDS - started_s)) "$report"
if [ "$full" = yes ] && [ ${#failed[@]} = 0 ]; then
    mkdir -p tmp
    echo "$(date -u '+%Y-%m-%d %H:%M') UTC, revision $(git rev-parse --short HEAD 2>/dev/null)" >"$LAST_FULL_RUN"
fi
echo "run_tests.sh --full last passed here: $(cat "$LAST_FULL_RUN" 2>/dev/null || echo never)"
echo "${#passed[@]} passed, ${#failed[@]} failed"
[ ${#failed[@]} = 0 ]
