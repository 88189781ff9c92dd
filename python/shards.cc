// SPDX-License-Identifier: Apache-2.0
#include "python/shards.h"

#include <nanobind/stl/string.h>

#include "base/printable.h"
#include "python/arrays.h"
#include "python/errors.h"

namespace vqc::python {
namespace {

namespace nb = nanobind;

}  // namespace

nb::object ItemReader::Next() {
  std::optional<TokenItem> item;
  {
    const nb::gil_scoped_release unlocked;
    item = Take(reader_->Next());
  }
  if (!item) return nb::none();
  nb::dict sidecars;
  for (const Sidecar& sidecar : item->sidecars) {
    sidecars[sidecar.extension.c_str()] =
        nb::bytes(reinterpret_cast<const char*>(sidecar.bytes.data()), sidecar.bytes.size());
  }
  const nb::object ids =
      Own(std::vector<int32_t>(item->ids.begin(), item->ids.end()), {item->shape.begin(), item->shape.end()});
  return nb::make_tuple(item->key, ids, item->facts.dump(), sidecars);
}

Shards::Shards(const std::vector<std::string>& paths) : shards_(Take(FindShards(paths))) {
  for (const ShardToRead& shard : shards_) {
    if (shard.set && shard.set->model == shards_.front().set->model) continue;
    throw Failure(
        {ErrorCode::kInput, Printable(shard.Name()) + ": " +
                                (shard.set ? "is of model " + shard.set->model + ", the first shard is of " +
                                                 shards_.front().set->model
                                           : "there is no plan.json beside it, so its layout is not known")});
  }
}

int64_t Shards::Items(size_t shard) const {
  const auto& record = shards_.at(shard).record;
  return record ? static_cast<int64_t>(record->items) : -1;
}

std::unique_ptr<ItemReader> Shards::Open(size_t shard) const {
  const ShardToRead& what = shards_.at(shard);
  return std::make_unique<ItemReader>(Take(what.format->open(what.path, what.set->layout, {})));
}

void Shards::Verify(size_t shard) const {
  const nb::gil_scoped_release unlocked;
  Check(CheckShard(shards_.at(shard)));
}

}  // namespace vqc::python
