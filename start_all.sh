#!/usr/bin/env bash
# Installs what is missing, starts one worker a GPU (or one on the CPU) and the gateway, and returns
# once the service answers. A supervisor restarts what crashes.
#
#   --http            serve http:// instead of https://
#   --compile         another name for model.cuda_graphs, which is on by default
#   --demo            serve the embedded checkpoint, whatever is configured
#   --foreground      stay until the service ends; Ctrl-C stops it
#   --insecure        make no admin token when other machines can connect
#   --num-gpus N      use the first N GPUs, 0 for the CPU
#   --wait-seconds S  how long the model may take to load (default 3600)
#   --status          tell what runs and leave
#   --stop            stop the service and leave
#   --check           tell what would start and leave
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

PYTHON_BIN=.venv/base/bin/python
needs_install=yes
awaits_value=no
for argument in "$@"; do
    if [ "$awaits_value" = yes ]; then
        awaits_value=no
        continue
    fi
    case "$argument" in
    --http | --compile | --demo | --foreground | --insecure | --check) ;;
    --num-gpus=* | --wait-seconds=*) ;;
    --num-gpus | --wait-seconds) awaits_value=yes ;;
    --status | --stop) needs_install=no ;;
    -h | --help)
        sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' start_all.sh
        exit 0
        ;;
    *)
        echo "start_all.sh: unknown option $argument; bash start_all.sh --help lists them" >&2
        exit 2
        ;;
    esac
done

if [ "$needs_install" = yes ]; then
    bash install.sh --quiet
elif [ ! -x "$PYTHON_BIN" ]; then
    echo "Nothing runs: the service is not installed yet."
    exit 0
fi
PYTHONPATH="$PWD" exec "$PYTHON_BIN" -m deploy.launcher "$@"
