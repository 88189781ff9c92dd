#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench/kodak.sh FOLDER [-m MODEL] [--rounds N] [--out DIR] [--quick]
# Quality, size, time and memory of a model on the pictures of FOLDER, beside a VQ-16 network timed in the same run,
# as a Markdown table on standard output. README.md beside this file says what each row means.
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")

# Prints the newest build of program $1, or nothing.
newest() {
  local found='' candidate
  for candidate in "$here"/../build/*/bin/"$1"; do
    if [[ -x $candidate && ( -z $found || $candidate -nt $found ) ]]; then found=$candidate; fi
  done
  printf '%s' "$found"
}

export VQCODEC=${VQCODEC:-$(newest vqcodec)}
export VQ16_BASELINE=${VQ16_BASELINE:-$(newest vq16_baseline)}
if [[ -z $VQCODEC ]]; then
  echo "kodak.sh: no build of vqcodec below build/; run ./run list, or set VQCODEC to the program" >&2
  exit 2
fi
exec python3 "$here/kodak.py" "$@"
