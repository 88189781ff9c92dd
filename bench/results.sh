#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench/results.sh [--kodak DIR] [--speech DIR] [--sounds DIR] [--work DIR] [--out docs]
# Measures the pretrained models against other codecs and writes docs/results.md with its plots. results.py beside this
# file says what each option is. PYTHON names another python3, VQCODEC another build than the newest.
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
if [[ -z ${VQCODEC:-} ]]; then
  VQCODEC=''
  for candidate in "$here"/../build/*/bin/vqcodec; do
    if [[ -x $candidate && ( -z $VQCODEC || $candidate -nt $VQCODEC ) ]]; then VQCODEC=$candidate; fi
  done
fi
if [[ -z $VQCODEC ]]; then
  echo "results.sh: no build of vqcodec below build/; run ./run list, or set VQCODEC to the program" >&2
  exit 2
fi
export VQCODEC
exec "${PYTHON:-python3}" -B "$here/results.py" "$@"
