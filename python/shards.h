// SPDX-License-Identifier: Apache-2.0
// What vqcodec/data.py calls: shards of tokens of any format that `vqcodec tokenize` writes.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <string>
#include <vector>

#include "data/tokens/read_set.h"

namespace vqc::python {

// One shard, read from front to back.
class ItemReader {
 public:
  ItemReader(std::unique_ptr<ShardReader> reader) : reader_(std::move(reader)) {}

  // (key, ids int32, facts as JSON, {extension: bytes}), or None at the end. Throws Failure.
  nanobind::object Next();

 private:
  std::unique_ptr<ShardReader> reader_;
};

class Shards {
 public:
  // Folders with a plan, in the order of their shards, or single files of such folders. Throws Failure.
  explicit Shards(const std::vector<std::string>& paths);

  size_t Count() const { return shards_.size(); }
  std::string Name(size_t shard) const { return shards_.at(shard).Name(); }
  // Items of a shard; -1 where no manifest tells.
  int64_t Items(size_t shard) const;
  std::string Model() const { return shards_.front().set->model; }
  std::vector<uint32_t> Vocab() const { return shards_.front().set->layout.vocab; }
  std::unique_ptr<ItemReader> Open(size_t shard) const;
  void Verify(size_t shard) const;  // against the checksums of the manifest

 private:
  std::vector<ShardToRead> shards_;
};

}  // namespace vqc::python
