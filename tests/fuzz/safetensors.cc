// SPDX-License-Identifier: Apache-2.0
// Weights files: what is accepted lies within the file and is written and read back as it is.
//   0 | a file as it is        1 | its header, behind which comes as much data as it asks for, up to 64 KiB
#include "base/safetensors.h"

#include "base/bytes.h"
#include "tests/fuzz/fuzz_input.h"

using namespace vqc;
using fuzz::Require;

namespace {

bool Same(const TensorView& a, const TensorView& b) {
  return a.dtype == b.dtype && a.shape == b.shape && std::ranges::equal(a.bytes, b.bytes);
}

void Check(std::vector<uint8_t> bytes) {
  const auto file = SafeTensors::Parse(std::move(bytes), "fuzz");
  if (!file.ok()) return;
  for (const auto& [name, tensor] : file->Tensors()) {
    uint64_t count = SizeOf(tensor.dtype);
    for (const int64_t dim : tensor.shape) count *= static_cast<uint64_t>(dim);
    Require(count == tensor.bytes.size(), "a tensor has as many bytes as its shape needs");
    uint8_t sum = 0;
    for (const uint8_t byte : tensor.bytes) sum = static_cast<uint8_t>(sum + byte);
    [[maybe_unused]] static volatile uint8_t seen;
    seen = sum;
  }
  const auto written = WriteSafeTensors(file->Tensors(), file->Metadata());
  if (!written.ok()) return;  // a name that may be read but not written
  const auto back = SafeTensors::Parse(*written, "again");
  Require(
      back.ok() && back->Metadata() == file->Metadata() && back->Tensors().size() == file->Tensors().size(),
      "what is written is read back");
  for (const auto& [name, tensor] : file->Tensors()) {
    Require(Same(tensor, *back->Get(name)), "tensors are read back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  if (input.U8() % 2 == 0) {
    const auto rest = input.Rest();
    Check({rest.begin(), rest.end()});
    return 0;
  }
  const uint32_t data_bytes = input.U16();
  ByteWriter file;
  file.U64(input.Left());
  file.Append(input.Rest());
  auto bytes = std::move(file).Take();
  bytes.resize(bytes.size() + data_bytes);
  Check(std::move(bytes));
  return 0;
}
