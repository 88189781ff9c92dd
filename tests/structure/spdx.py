# SPDX-License-Identifier: Apache-2.0
"""spdx.py ROOT: every source file says its licence in its first line, or in the second after a #! line."""
import os
import sys

import tree

EXTENSIONS = (".h", ".cc", ".cu", ".cuh", ".cmake", ".cmake.in", ".py", ".sh", "CMakeLists.txt")
SCRIPTS = ("run", "test", ".ci/run")
MARK = "SPDX-License-Identifier: Apache-2.0"


def problems(root):
    scripts = [name for name in SCRIPTS if os.path.exists(os.path.join(root, name))]
    for path in tree.files(root, EXTENSIONS) + scripts:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            lines = [file.readline(), file.readline()]
        said = lines[1] if lines[0].startswith("#!") or lines[0].startswith("# shellcheck") else lines[0]
        if said.strip() not in ("// " + MARK, "# " + MARK):
            yield f"{path}: its first line has to be the comment {MARK}"


def main(root):
    found = list(problems(root))
    print("\n".join(found) or "every source file names its licence")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
