// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/hashed_file.h"

#include <utility>

#include "base/mapped_file.h"

namespace vqc {
namespace {

constexpr size_t kBuffer = 1 << 20;

}  // namespace

HashedFile::HashedFile(OutputFile file, std::string name)
    : file_(std::move(file)), facts_{std::move(name), 0, {}}, hasher_(std::make_unique<Sha256Hasher>()) {}

Result<HashedFile> HashedFile::Create(const std::string& folder, const std::string& name) {
  VQC_ASSIGN(OutputFile file, OutputFile::Create(folder + "/" + name, {.force = true}));
  return HashedFile(std::move(file), name);
}

Status HashedFile::Write(std::span<const uint8_t> bytes) {
  facts_.bytes += bytes.size();
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  return waiting_.size() < kBuffer ? Status() : Flush();
}

Status HashedFile::Write(std::string_view text) {
  return Write(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

Status HashedFile::Flush() {
  hasher_->Add(waiting_);
  VQC_TRY(file_.Write(waiting_));
  waiting_.clear();
  return {};
}

Result<ShardFile> HashedFile::Commit() {
  VQC_TRY(Flush());
  VQC_TRY(file_.Commit());
  facts_.sha256 = hasher_->Finish();
  return facts_;
}

Result<ShardFile> FactsOfFile(const std::string& folder, const std::string& name) {
  VQC_ASSIGN(const MappedFile file, MappedFile::Open(folder + "/" + name));
  return ShardFile{name, file.bytes().size(), Sha256Of(file.bytes())};
}

}  // namespace vqc
