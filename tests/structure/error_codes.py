# SPDX-License-Identifier: Apache-2.0
"""error_codes.py SOURCE_DIR: every error code of base/result.h is expected by a test."""
import pathlib
import re
import sys


def codes_of(text):
    body = re.search(r"enum class ErrorCode \{(.*?)\};", text, re.S)[1]
    return re.findall(r"^\s*(k\w+),", body, re.M)


def main(source):
    codes = codes_of((source / "base/result.h").read_text())
    expected = "".join(line for path in sorted((source / "tests").rglob("*.cc")) for line in open(path)
                       if re.search(r"EXPECT|ASSERT|Expect|Refused", line))
    counts = {code: len(re.findall(rf"ErrorCode::{code}\b", expected)) for code in codes}
    print(*(f"{code}: expected {count} times" for code, count in counts.items()), sep="\n")
    return 0 if codes and all(counts.values()) else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
