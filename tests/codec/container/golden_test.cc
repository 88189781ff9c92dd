// SPDX-License-Identifier: Apache-2.0
// The bytes of the samples, kept in tests/golden/v1/container/. VQC_UPDATE_GOLDEN=1 writes those
// that are missing; version 1 is frozen (tests/structure/frozen.py).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/sha256.h"
#include "codec/container/stream.h"
#include "tests/codec/container/samples.h"

namespace vqc {
namespace {

const std::string kFolder = std::string(VQC_SOURCE_DIR) + "/tests/golden/v1/container/";

TEST(Golden, StreamsKeepTheirBytesAndTheirMeaning) {
  for (const auto& [name, stream] : testing::Samples()) {
    const std::string path = kFolder + name + ".vqc";
    const auto bytes = WriteStream(stream);
    ASSERT_TRUE(bytes.ok());
    if (std::getenv("VQC_UPDATE_GOLDEN") && !std::filesystem::exists(path)) {
      const Status written = WriteFileAtomically(path, *bytes);
      ASSERT_TRUE(written.ok()) << written.error().message;
    }
    const auto golden = ReadFile(path, 1 << 20);
    ASSERT_TRUE(golden.ok()) << golden.error().message;
    EXPECT_EQ(*bytes, *golden) << name << ": the bytes of version 1 have changed";
    const auto back = ReadStream(*golden, Limits{});
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_TRUE(testing::Same(*back, stream)) << name;
  }
}

// The example that docs/format.md works through.
TEST(Golden, TheExampleOfTheDocumentation) {
  Stream stream = testing::Image(512, 768, 0);
  stream.chunks[0].payload = {0xAA, 0xBB, 0xCC};
  const auto bytes = *WriteStream(stream);
  EXPECT_EQ(HexOf(bytes), "8f565101321032547698badcfeefbeff01ff02033412aabbcc10a58966");
}

}  // namespace
}  // namespace vqc
