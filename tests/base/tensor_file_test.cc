// SPDX-License-Identifier: Apache-2.0
#include "base/tensor_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

class TensorFileTest : public ::testing::Test {
 protected:
  TensorFileTest() {
    for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<uint8_t>(i * 7);
    const auto all = std::span<const uint8_t>(bytes_);
    views_ = {{"weight", {DType::kF32, {2, 3}, all.first(24)}},
              {"prior.tables", {DType::kU8, {5}, all.subspan(24, 5)}},
              {"empty", {DType::kF16, {0}, {}}}};
    Write(*WriteSafeTensors(views_, {}));
  }

  void Write(std::span<const uint8_t> file) const {
    testing::Put(path_, {reinterpret_cast<const char*>(file.data()), file.size()});
  }

  testing::TempFolder folder_;
  const std::string path_ = folder_.Path("m.safetensors");
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(29);
  std::map<std::string, TensorView> views_;
};

TEST_F(TensorFileTest, ReadsAnyPartOfATensor) {
  const auto file = TensorFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_EQ(file->Tensors().size(), 3u);
  for (const auto& [name, view] : views_) {
    const auto place = file->Get(name);
    ASSERT_TRUE(place.ok());
    EXPECT_EQ((*place)->dtype, view.dtype);
    EXPECT_EQ((*place)->shape, view.shape);
    ASSERT_EQ((*place)->size, view.bytes.size());
    for (size_t begin = 0; begin <= view.bytes.size(); ++begin) {
      std::vector<uint8_t> read((view.bytes.size() - begin + 1) / 2);
      ASSERT_TRUE(file->Read(**place, begin, read).ok());
      EXPECT_TRUE(std::ranges::equal(read, view.bytes.subspan(begin, read.size()))) << name << begin;
    }
  }
  const auto missing = file->Get("bias");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kModel);
  EXPECT_EQ(missing.error().message.find(path_ + ": has no tensor bias (it has 3 others)"), 0u);
}

TEST_F(TensorFileTest, LoadsThoseThatAreWanted) {
  const auto file = TensorFile::Open(path_);
  ASSERT_TRUE(file.ok());
  const auto loaded = file->Load([](std::string_view name) { return name != "weight"; });
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->Tensors().size(), 2u);
  EXPECT_TRUE(std::ranges::equal(loaded->Get("prior.tables")->bytes, views_["prior.tables"].bytes));
  EXPECT_EQ(loaded->Get("empty")->shape, std::vector<int64_t>{0});
}

TEST_F(TensorFileTest, AFileThatIsWrittenToWhileItIsInUseIsAnError) {
  const auto expect_refused = [](const TensorFile& file) {
    std::vector<uint8_t> read(24);
    const Status status = file.Read(**file.Get("weight"), 0, read);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kModel);
    EXPECT_NE(status.error().message.find("was written to while it was in use"), std::string::npos)
        << status.error().message;
    EXPECT_FALSE(file.Load([](std::string_view) { return true; }).ok());
  };
  const auto cut = TensorFile::Open(path_);
  ASSERT_TRUE(cut.ok());
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  expect_refused(*cut);

  Write(*WriteSafeTensors(views_, {}));
  const auto changed = TensorFile::Open(path_);
  ASSERT_TRUE(changed.ok());
  bytes_[0] ^= 1;
  Write(*WriteSafeTensors(views_, {}));
  const timespec later[2] = {{2000000000, 0}, {2000000000, 0}};  // the clock of a disk may be coarse
  ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), later, 0), 0);
  expect_refused(*changed);
}

TEST_F(TensorFileTest, AReplacedFileIsReadToItsEnd) {
  const auto file = TensorFile::Open(path_);
  ASSERT_TRUE(file.ok());
  std::filesystem::rename(path_, folder_.Path("old"));
  std::filesystem::remove(folder_.Path("old"));
  Write(std::vector<uint8_t>(100));
  std::vector<uint8_t> read(24);
  ASSERT_TRUE(file->Read(**file->Get("weight"), 0, read).ok());
  EXPECT_TRUE(std::ranges::equal(read, views_["weight"].bytes));
}

TEST_F(TensorFileTest, OnlyRegularFilesWithinTheLimitAreOpened) {
  const auto expect_refused = [](const std::string& path, const std::string& why, ErrorCode code,
                                 const Limits& limits = {}) {
    const auto file = TensorFile::Open(path, limits);
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().code, code);
    EXPECT_EQ(file.error().message.find(path + ": " + why), 0u) << file.error().message;
  };
  expect_refused(folder_.Path("missing"), "cannot be opened", ErrorCode::kModel);
  expect_refused(folder_.path(), "is not a regular file", ErrorCode::kModel);
  ASSERT_EQ(mkfifo(folder_.Path("pipe").c_str(), 0600), 0);
  expect_refused(folder_.Path("pipe"), "is not a regular file", ErrorCode::kModel);
  Limits limits;
  limits.max_model_bytes = 40;
  expect_refused(path_, "holds ", ErrorCode::kLimit, limits);
  for (size_t size = 0; size < 8; ++size) {
    Write(std::vector<uint8_t>(size));
    expect_refused(path_, "has only " + std::to_string(size) + " bytes", ErrorCode::kModel);
  }
}

}  // namespace
}  // namespace vqc
