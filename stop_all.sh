#!/usr/bin/env bash
# Stops what start_all.sh started.
exec bash "$(dirname "${BASH_SOURCE[0]}")/start_all.sh" --stop "$@"
