# SPDX-License-Identifier: Apache-2.0
"""headers_alone.py ROOT COMPILER [FLAG...]: every header that needs neither libtorch, OpenCV nor nanobind compiles by itself,
whatever was included before it. Headers that need them are left to the files that include them: 15 s each."""
import concurrent.futures
import os
import subprocess
import sys

import tree

SLOW = ("torch/", "ATen/", "c10/", "opencv2/", "cuda", "nanobind/")


def is_slow(root, header, known):
    """True where the header reaches one of SLOW through headers of ours."""
    if header not in known:
        known[header] = False  # a cycle ends here
        known[header] = any(
            is_slow(root, name, known) if quoted and os.path.exists(os.path.join(root, name)) else
            not quoted and name.startswith(SLOW) for quoted, name in tree.includes(root, header))
    return known[header]


def compile_alone(root, header, compiler, flags):
    command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-fsyntax-only", "-I", root, *flags, "-x", "c++", "-"]
    # Twice: a header without its guard fails too.
    text = f'#include "{header}"\n#include "{header}"\n'
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return header, done.returncode, done.stderr


def main(root, compiler, *flags):
    known = {}
    headers = [path for path in tree.files(root, (".h",)) if not is_slow(root, path, known)]
    if not headers:
        print(f"no headers below {root}")
        return 1
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for header, status, errors in pool.map(lambda h: compile_alone(root, h, compiler, flags), headers):
            if status or errors:
                failed += 1
                print(f"{header} does not compile alone:\n{errors}")
    print(f"{len(headers) - failed} of {len(headers)} headers compile alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
