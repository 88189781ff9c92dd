// SPDX-License-Identifier: Apache-2.0
// Parquet files of media: what is read of a row is within limits, and the same whenever it is read.
#include "data/tokens/table_reader.h"
#include "tests/fuzz/fuzz_input.h"

using namespace vqc;
using fuzz::Require;

namespace {

constexpr uint64_t kMostRows = 32;

bool IsOneLine(const Error& error) { return error.message.find('\n') == std::string::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::MemoryFile file({data, size});
  Limits limits;
  limits.max_input_bytes = 1 << 20;  // a few bytes may stand for many
  const auto table = OpenTable(file.Path(), {"", "__key__", "image"}, limits);
  if (!table.ok()) Require(IsOneLine(table.error()), "errors are of one line");
  if (!table.ok() || !*table) return 0;
  const auto keys = (*table)->Keys(limits);
  Require(keys.ok() ? keys->size() == (*table)->Rows() : IsOneLine(keys.error()), "a row has a key");
  TableReader reader(limits);
  for (uint64_t row = 0; row < std::min((*table)->Rows(), kMostRows); ++row) {
    const auto read = reader.Read(**table, row);
    if (!read.ok()) {
      Require(IsOneLine(read.error()), "errors are of one line");
      continue;
    }
    Require(read->media.size() <= limits.max_input_bytes, "media are within limits");
    for (size_t i = 1; i < read->sidecars.size(); ++i)
      Require(read->sidecars[i - 1].extension < read->sidecars[i].extension,
              "sidecars are in order, each once");
    const auto again = TableReader(limits).Read(**table, row);
    Require(again.ok() && again->media == read->media, "a row is the same whatever was read before");
  }
  return 0;
}
