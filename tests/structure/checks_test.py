# SPDX-License-Identifier: Apache-2.0
"""The checks beside this file find what they are there to find."""
import os
import tempfile
import unittest

import frozen
import headers_alone
import include_direction
import spdx

LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"


class ChecksTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = self.folder.name
        self.write("base/low.h", LICENCE + "#pragma once\n")
        self.write("models/high.h", LICENCE + '#pragma once\n#include "base/low.h"\n')

    def tearDown(self):
        self.folder.cleanup()

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_a_good_tree_passes(self):
        self.assertEqual(list(include_direction.problems(self.root)), [])
        self.assertEqual(list(spdx.problems(self.root)), [])
        self.assertEqual(headers_alone.main(self.root, os.environ.get("CXX", "c++")), 0)

    def test_an_include_upwards_is_found(self):
        self.write("base/up.cc", LICENCE + '#include "models/high.h"\n')
        self.assertEqual(len(list(include_direction.problems(self.root))), 1)

    def test_an_include_across_a_level_is_found(self):
        self.write("codec/container/a.h", LICENCE)
        self.write("entropy/b.cc", LICENCE + '#include "codec/container/a.h"\n')
        self.assertEqual(len(list(include_direction.problems(self.root))), 1)

    def test_an_include_that_is_not_from_the_root_is_found(self):
        self.write("models/other.cc", LICENCE + '#include "high.h"\n')
        self.assertEqual(len(list(include_direction.problems(self.root))), 1)

    def test_torch_in_a_header_of_tokenizers_is_found(self):
        self.write("tokenizers/a.cc", LICENCE + "#include <torch/torch.h>\n")
        self.assertEqual(list(include_direction.problems(self.root)), [])
        self.write("tokenizers/a.h", LICENCE + "#include <torch/torch.h>\n")
        self.assertEqual(len(list(include_direction.problems(self.root))), 1)

    def test_a_missing_licence_is_found(self):
        self.write("base/low.h", "#pragma once\n")
        self.assertEqual(len(list(spdx.problems(self.root))), 1)

    def test_a_header_that_needs_another_is_found(self):
        self.write("base/needs.h", LICENCE + "#pragma once\nstd::string name;\n")
        self.assertEqual(headers_alone.main(self.root, os.environ.get("CXX", "c++")), 1)

    def test_a_golden_that_changes_or_goes_is_found(self):
        def found():
            return list(frozen.problems(self.root, 1, frozen.sha256(line)))

        line = f"{frozen.sha256(b'old')}  container/a.vqc\n".encode()
        self.write("tests/golden/v1/container/a.vqc", "old")
        self.write("tests/golden/v1/SHA256SUMS", line.decode())
        self.assertEqual(found(), [])
        self.write("tests/golden/v1/container/b.vqc", "added")
        self.assertEqual(found(), [])
        self.write("tests/golden/v1/SHA256SUMS", line.decode() + f"{frozen.sha256(b'added')}  container/b.vqc\n")
        self.assertEqual(found(), [])
        self.write("tests/golden/v1/container/a.vqc", "new")
        self.assertEqual(len(found()), 1)
        os.remove(os.path.join(self.root, "tests/golden/v1/container/a.vqc"))
        self.assertEqual(len(found()), 1)
        self.write("tests/golden/v1/SHA256SUMS", f"{frozen.sha256(b'added')}  container/b.vqc\n")
        self.assertEqual(len(found()), 1)


if __name__ == "__main__":
    unittest.main()
