# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What ./run and ./test share: packages, libtorch, building. Sourced with `set -euo pipefail` and $root set.
# Everything is said on stderr; what the tools print goes to build/setup.log.

vqc_torch_version=2.11.0
vqc_log=${root:?}/build/setup.log
vqc_torch_dir=''
# What find_package and find_library look for in the CMakeLists, by the names of Debian and Ubuntu.
vqc_run_libraries=(libssl-dev libzstd-dev zlib1g-dev nlohmann-json3-dev libcli11-dev libpng-dev libjpeg-dev
  libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev libsndfile1-dev libsoxr-dev libavformat-dev
  libavcodec-dev libavutil-dev libhdf5-dev)
vqc_test_libraries=(libgtest-dev libbenchmark-dev)

vqc_say() { printf 'vqcodec: %s\n' "$*" >&2; }

vqc_die() {
  vqc_say "$@"
  exit 6
}

# vqc_room FOLDER MB WHAT [ADVICE]: ends where WHAT needs more room in FOLDER than there is.
vqc_room() {
  local free
  free=$(df -Pm -- "$1" | awk 'NR == 2 { print $4 }')
  ((free >= $2)) || vqc_die "$3 needs $2 MB free in $1; $free MB are. Free some${4:-}"
}

# One set-up at a time in a tree; the lock falls with the subshell that holds it.
vqc_lock() {
  mkdir -p "$root/build"
  exec 9>"$root/build/.lock"
  flock -n 9 || { vqc_say 'waiting for another ./run or ./test that is building'; flock 9; }
  : >"$vqc_log"
}

# vqc_step TEXT COMMAND...: runs it with its output in the log, and says what is being done and for how long:
# once a second on a terminal, else every 20 seconds.
vqc_step() {
  local text=$1 began=$SECONDS ticker status=0
  shift
  vqc_say "$text"
  (
    exec >/dev/null
    pause=20 form='vqcodec:   %d s  %s\n'
    [[ -t 2 ]] && pause=1 form='\r\033[K  %d s  %.60s'
    while sleep "$pause" 2>/dev/null; do
      # shellcheck disable=SC2059
      printf "$form" $((SECONDS - began)) "$(tail -n 1 -- "$vqc_log" | tr -d '\r\033')" >&2
    done
  ) &
  ticker=$!
  "$@" >>"$vqc_log" 2>&1 </dev/null 9>&- || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  [[ -t 2 ]] && printf '\r\033[K' >&2
  if ((status)); then
    tail -n 30 -- "$vqc_log" >&2
    vqc_die "failed: $text (the whole output is in $vqc_log)"
  fi
  ((SECONDS - began < 2)) || vqc_say "  done in $((SECONDS - began)) s"
}

# --- packages -----------------------------------------------------------------------------------------------

vqc_has_package() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

vqc_apt() {
  local as_root=()
  if ((EUID)); then
    command -v sudo >/dev/null || vqc_die "these packages are missing: $*. Install them as root: apt-get install --no-install-recommends $*"
    if [[ -t 2 ]]; then sudo -v; else sudo -n true; fi || vqc_die "these packages are missing: $*. sudo refused; install them as root."
    as_root=(sudo)
  fi
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300
    install --no-install-recommends "$@")
  apt-get -s install --no-install-recommends "$@" >/dev/null 2>&1 ||
    vqc_step 'refreshing the package lists' "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update
  # Old lists name versions that the mirror has dropped: then refresh them and try once more.
  vqc_step "installing ${*:1:6}$( (($# > 6)) && echo " and $(($# - 6)) more")" bash -c '"$@" || { '"${as_root[*]}"' apt-get -q update && "$@"; }' install "${install[@]}"
}

# vqc_packages run|test|full: what the build needs and this machine lacks.
vqc_packages() {
  local missing=() package
  command -v c++ >/dev/null || missing+=(g++)
  command -v cmake >/dev/null || missing+=(cmake)
  command -v ninja >/dev/null || missing+=(ninja-build)
  command -v pkg-config >/dev/null || missing+=(pkgconf)
  command -v python3 >/dev/null || missing+=(python3)
  local libraries=("${vqc_run_libraries[@]}")
  [[ $1 == run ]] || libraries+=("${vqc_test_libraries[@]}")
  [[ $1 != full ]] || command -v clang++ >/dev/null || missing+=(clang)  # for the test of determinism
  [[ $1 != full ]] || command -v strace >/dev/null || missing+=(strace)  # for the tests of faults
  if ! command -v apt-get >/dev/null; then
    vqc_say "no apt-get here: ${missing[*]} and the equivalents of ${libraries[*]} must be there already"
    return
  fi
  for package in "${libraries[@]}"; do
    vqc_has_package "$package" || missing+=("$package")
  done
  # pip comes with the others, in one go, where libtorch is to be fetched.
  if [[ -z $vqc_torch_dir ]] && ! vqc_python >/dev/null; then missing+=(python3-pip); fi
  ((${#missing[@]} == 0)) || vqc_apt "${missing[@]}"
}

# --- libtorch -----------------------------------------------------------------------------------------------

vqc_cache() { printf '%s/vqcodec/torch-%s' "${XDG_CACHE_HOME:-$HOME/.cache}" "$vqc_torch_version"; }

# A python3 that has pip.
vqc_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  return 1
}

# The folder of a libtorch that is there already, or nothing: the one asked for, the one fetched earlier, one on
# CMAKE_PREFIX_PATH, or the torch of python3 where its version fits.
vqc_find_torch() {
  local folder
  if [[ -n ${VQCODEC_TORCH_DIR:-} ]]; then
    [[ -e $VQCODEC_TORCH_DIR/lib/libtorch_cpu.so ]] || vqc_die "VQCODEC_TORCH_DIR=$VQCODEC_TORCH_DIR has no lib/libtorch_cpu.so; name a folder that has, or unset it and libtorch is fetched"
    echo "$VQCODEC_TORCH_DIR"
    return
  fi
  if [[ -e $(vqc_cache)/complete ]]; then
    echo "$(vqc_cache)/torch"
    return
  fi
  local IFS=':;'
  for folder in ${CMAKE_PREFIX_PATH:-}; do
    if [[ -e $folder/lib/libtorch_cpu.so && -d $folder/include/torch ]]; then
      echo "$folder"
      return
    fi
  done
  python3 - "${vqc_torch_version%.*}." 2>/dev/null <<'PYTHON' || true
import importlib.metadata, importlib.util, os, sys
if importlib.metadata.version("torch").startswith(sys.argv[1]):
    folder = importlib.util.find_spec("torch").submodule_search_locations[0]
    if os.path.exists(folder + "/lib/libtorch_cpu.so"):
        print(folder)
PYTHON
}

# Name, SHA-256 and requirement of the wheels for this processor. The CUDA runtime and CUPTI are small, and
# libtorch_cpu.so does not load without them, on machines without a GPU too.
vqc_wheels() {
  case $(uname -m) in
    x86_64) cat <<'TABLE' ;;
torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl 7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a torch==2.11.0
nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl 7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548 nvidia-cuda-runtime==13.0.96
nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl 4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8 nvidia-cuda-cupti==13.0.85
TABLE
    aarch64) cat <<'TABLE' ;;
torch-2.11.0-cp311-cp311-manylinux_2_28_aarch64.whl d91aac77f24082809d2c5a93f52a5f085032740a1ebc9252a7b052ef5a4fddc6 torch==2.11.0
nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55 nvidia-cuda-runtime==13.0.96
nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_aarch64.whl 796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151 nvidia-cuda-cupti==13.0.85
TABLE
    *) vqc_die "no libtorch is known for the processor $(uname -m); name one in VQCODEC_TORCH_DIR (a folder with include/ and lib/)" ;;
  esac
}

vqc_sum_is() { [[ -f $1 && $(sha256sum -- "$1") == "$2 "* ]]; }

# vqc_fetch_wheel PYTHON FOLDER NAME SHA256 REQUIREMENT: a wheel whose sum is right is kept, another is replaced.
vqc_fetch_wheel() {
  local python=$1 folder=$2 name=$3 sum=$4 requirement=$5 machine platforms=() tag
  vqc_sum_is "$folder/$name" "$sum" && return
  machine=$(uname -m)
  for tag in manylinux_2_28 manylinux_2_25 manylinux_2_17 manylinux2014; do
    platforms+=(--platform "${tag}_$machine")
  done
  rm -rf -- "$folder/part"
  mkdir -p -- "$folder/part"
  "$python" -m pip download --progress-bar off --disable-pip-version-check --no-cache-dir --no-deps --only-binary=:all: \
    --implementation cp --python-version 3.11 "${platforms[@]}" --dest "$folder/part" "$requirement" || return
  if ! vqc_sum_is "$folder/part/$name" "$sum"; then
    echo "$name: the download is damaged or is another file: its SHA-256 is not $sum"
    return 1
  fi
  mv -- "$folder/part/$name" "$folder/$name"
}

vqc_fetch_wheels() {
  local name sum requirement
  while read -r name sum requirement; do
    vqc_fetch_wheel "$1" "$2" "$name" "$sum" "$requirement" || return
  done < <(vqc_wheels)
}

# The wheels are unpacked beside the cache folder, which is put in place by one rename; an interrupted download
# or unpacking is taken up again at the wheel where it stopped.
vqc_fetch_torch() {
  local cache downloads python
  cache=$(vqc_cache)
  downloads=$cache.wheels
  mkdir -p -- "$downloads"
  python=$(vqc_python) || vqc_die 'libtorch is fetched with pip, and no python3 here has it; install python3-pip or name a libtorch in VQCODEC_TORCH_DIR'
  vqc_room "$downloads" 1400 "unpacking libtorch" ", or set XDG_CACHE_HOME to a roomier folder"
  (
    exec 8>"$downloads/.lock"
    flock 8
    if [[ ! -e $cache/complete ]]; then
      vqc_step "fetching libtorch $vqc_torch_version (530 MB, once, kept in $cache)" vqc_fetch_wheels "$python" "$downloads"
      vqc_step 'unpacking libtorch' "$python" "$root/scripts/unpack_libtorch.py" "$cache" "$downloads"/*.whl
    fi
  )
  rm -rf -- "$downloads"
}

# vqc_prepare run|test|full: everything that building needs. Sets vqc_torch_dir.
vqc_prepare() {
  vqc_torch_dir=$(vqc_find_torch)
  vqc_packages "$1"
  [[ -n $vqc_torch_dir ]] && return
  vqc_fetch_torch
  vqc_torch_dir=$(vqc_cache)/torch
}

# --- building -----------------------------------------------------------------------------------------------

# Compilers at once: a file that includes libtorch takes up to 2 GB.
vqc_jobs() {
  local memory jobs
  memory=$(awk '/^MemAvailable/ { print int($2 / 2000000) }' /proc/meminfo)
  jobs=$(nproc)
  ((memory < jobs)) && jobs=$memory
  ((jobs > 0)) || jobs=1
  echo "$jobs"
}

vqc_build() {
  local preset=$1 folder=$root/build/$1 cache=$root/build/$1/CMakeCache.txt torch=()
  mkdir -p -- "$folder"
  # What a first build leaves there and the compilers' own files beside it; with tests it is about half as much again.
  [[ -f $folder/.built ]] || vqc_room "$folder" "$([[ $preset == dev ]] && echo 3500 || echo 2000)" "building ($preset)"
  touch -- "$folder/.began"
  [[ $preset == core || $preset == asan ]] || torch=("-DVQCODEC_TORCH_DIR=$vqc_torch_dir")
  # A tree that was moved, or another libtorch: configured anew.
  if [[ -f $cache ]] && ! { grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache" &&
    { ((${#torch[@]} == 0)) || grep -qxF "VQCODEC_TORCH_DIR:PATH=$vqc_torch_dir" "$cache"; }; }; then
    rm -rf -- "$cache" "$folder/CMakeFiles" "$folder/build.ninja"
  fi
  if [[ ! -f $folder/build.ninja || $root/CMakePresets.json -nt $folder/build.ninja ]]; then
    vqc_step "configuring ($preset)" cmake -S "$root" --preset "$preset" "${torch[@]}"
  fi
  vqc_step "building ($preset)" cmake --build "$folder" --parallel "$(vqc_jobs)"
  printf '%s\n' "$vqc_torch_dir" >"$folder/.built.new"
  touch -r "$folder/.began" -- "$folder/.built.new"
  mv -- "$folder/.built.new" "$folder/.built"
}
