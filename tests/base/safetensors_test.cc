// SPDX-License-Identifier: Apache-2.0
#include "base/safetensors.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/tensor_file.h"
#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

// A file of this header and so many bytes of data, 0, 1, 2, ...
std::vector<uint8_t> File(const std::string& header, size_t data_bytes, int64_t length = -1) {
  ByteWriter writer;
  writer.U64(length < 0 ? header.size() : static_cast<uint64_t>(length));
  writer.Append(header);
  for (size_t i = 0; i < data_bytes; ++i) writer.U8(static_cast<uint8_t>(i));
  return std::move(writer).Take();
}

Result<SafeTensors> Parse(const std::string& header, size_t data_bytes) {
  return SafeTensors::Parse(File(header, data_bytes), "m.safetensors");
}

void ExpectRefused(const std::string& header, size_t data_bytes, const std::string& part,
                   ErrorCode code = ErrorCode::kModel) {
  const auto file = Parse(header, data_bytes);
  ASSERT_FALSE(file.ok()) << header.substr(0, 200);
  EXPECT_EQ(file.error().code, code) << file.error().message;
  EXPECT_NE(file.error().message.find("m.safetensors: "), std::string::npos) << file.error().message;
  EXPECT_NE(file.error().message.find(part), std::string::npos) << file.error().message;
  EXPECT_EQ(file.error().message.find('\n'), std::string::npos);

  // A file that is not held in memory is refused for the same reason.
  testing::TempFolder folder;
  const std::vector<uint8_t> bytes = File(header, data_bytes);
  testing::Put(folder.Path("m.safetensors"), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const auto on_disk = TensorFile::Open(folder.Path("m.safetensors"));
  ASSERT_FALSE(on_disk.ok());
  EXPECT_EQ(on_disk.error().code, code);
  EXPECT_EQ(on_disk.error().message, folder.path() + "/" + file.error().message);
}

std::string Tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

TEST(SafeTensors, ReadsAFileByteForByte) {
  // The bytes that the Python package writes for {"codes": uint16[4]} with metadata {"k": "v"}.
  const auto file =
      Parse(R"({"__metadata__":{"k":"v"},"codes":{"dtype":"U16","shape":[4],"data_offsets":[0,8]}}     )", 8);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->Metadata().at("k"), "v");
  const auto codes = file->Get("codes");
  ASSERT_TRUE(codes.ok());
  EXPECT_EQ(codes->dtype, DType::kU16);
  EXPECT_EQ(codes->shape, std::vector<int64_t>{4});
  EXPECT_EQ(std::vector<uint8_t>(codes->bytes.begin(), codes->bytes.end()),
            (std::vector<uint8_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  const auto missing = file->Get("cod\nes");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kModel);
  EXPECT_EQ(missing.error().message.find("m.safetensors: has no tensor cod\\x0aes"), 0u);
}

TEST(SafeTensors, WhatIsWrittenComesBack) {
  std::vector<uint8_t> bytes(64);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 7);
  const auto all = std::span<const uint8_t>(bytes);
  const std::map<std::string, TensorView> tensors = {
      {"a", {DType::kU8, {3}, all.subspan(0, 3)}},         {"b", {DType::kF64, {1, 2}, all.subspan(3, 16)}},
      {"c", {DType::kF16, {5}, all.subspan(20, 10)}},      {"d", {DType::kF32, {}, all.subspan(1, 4)}},
      {"e", {DType::kBF16, {2, 0, 3}, all.subspan(0, 0)}}, {"f", {DType::kBool, {1}, all.subspan(9, 1)}},
      {"ü \"\\", {DType::kI64, {1}, all.subspan(30, 8)}},
  };
  const std::map<std::string, std::string> metadata = {{"format", "pt"}, {"x", "1"}};
  const auto written = WriteSafeTensors(tensors, metadata);
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(*written, *WriteSafeTensors(tensors, metadata));
  const auto file = SafeTensors::Parse(*written, "m");
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->Metadata(), metadata);
  ASSERT_EQ(file->Tensors().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const auto back = file->Get(name);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->dtype, tensor.dtype);
    EXPECT_EQ(back->shape, tensor.shape);
    EXPECT_TRUE(std::equal(back->bytes.begin(), back->bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
    if (!back->bytes.empty()) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(back->bytes.data()) % SizeOf(back->dtype), 0u) << name;
    }
  }
}

TEST(SafeTensors, WriterRefusesWhatTheReaderWould) {
  const std::vector<uint8_t> bytes(8);
  EXPECT_FALSE(WriteSafeTensors({{"a", {DType::kF32, {3}, bytes}}}, {}).ok());
  EXPECT_FALSE(WriteSafeTensors({{"__metadata__", {DType::kF32, {2}, bytes}}}, {}).ok());
  EXPECT_FALSE(WriteSafeTensors({{"\xFF", {DType::kF32, {2}, bytes}}}, {}).ok());
  EXPECT_FALSE(WriteSafeTensors({{"a", {DType::kF32, {2}, bytes}}}, {{"k", "\xFF"}}).ok());
  EXPECT_FALSE(WriteSafeTensors({{"a", {DType::kF32, {-2}, bytes}}}, {}).ok());
  EXPECT_FALSE(WriteSafeTensors({{std::string(1025, 'n'), {DType::kF32, {2}, bytes}}}, {}).ok());
  EXPECT_TRUE(WriteSafeTensors({}, {}).ok());
  EXPECT_TRUE(SafeTensors::Parse(*WriteSafeTensors({}, {}), "m").ok());
}

TEST(SafeTensors, HeaderLengthAttacks) {
  for (size_t size = 0; size < 8; ++size) {
    EXPECT_FALSE(SafeTensors::Parse(std::vector<uint8_t>(size), "m").ok());
  }
  const std::string header = "{}";
  // 8 + length wraps around for these; the last ones are just too long.
  for (const int64_t length :
       {int64_t{0x7FFFFFFFFFFFFFFF}, int64_t{0x7FFFFFFFFFFFFFF8}, int64_t{1} << 32, int64_t{3}}) {
    const auto file = SafeTensors::Parse(File(header, 0, length), "m");
    ASSERT_FALSE(file.ok());
    EXPECT_NE(file.error().message.find("header should have"), std::string::npos);
  }
  std::vector<uint8_t> wraps = File(header, 0);
  std::fill_n(wraps.begin(), 8, 0xFF);
  EXPECT_FALSE(SafeTensors::Parse(wraps, "m").ok());
  EXPECT_FALSE(SafeTensors::Parse(File(header, 0, 1), "m").ok());
  EXPECT_FALSE(SafeTensors::Parse(File(header, 0, 0), "m").ok());
  EXPECT_TRUE(SafeTensors::Parse(File(header, 0), "m").ok());
  const auto long_header = SafeTensors::Parse(File("{" + std::string(16u << 20, ' ') + "}", 0), "m");
  ASSERT_FALSE(long_header.ok());
  EXPECT_EQ(long_header.error().code, ErrorCode::kLimit);
}

TEST(SafeTensors, LayoutAttacks) {
  const std::string a = Tensor("a", "U8", "[4]", "[0,4]");
  ASSERT_TRUE(Parse("{" + a + "}", 4).ok());
  ExpectRefused("{" + a + "}", 5, "take 4 bytes, the file has 5");  // bytes at the end that no tensor owns
  ExpectRefused("{" + a + "}", 3, "take 4 bytes, the file has 3");  // cut off
  ExpectRefused("{" + a + "," + Tensor("b", "U8", "[2]", "[5,7]") + "}", 7, "tensor b begins at 5");  // gap
  ExpectRefused("{" + a + "," + Tensor("b", "U8", "[2]", "[3,5]") + "}", 5,
                "tensor b begins at 3");  // overlap
  ExpectRefused("{" + a + "," + Tensor("b", "U8", "[4]", "[0,4]") + "}", 4,
                "tensor b begins at 0");  // shared
  ExpectRefused("{" + Tensor("a", "U8", "[4]", "[1,5]") + "}", 5, "tensor a begins at 1");
  ExpectRefused("{" + Tensor("a", "U8", "[4]", "[4,0]") + "}", 4, "lies at 4 to 0");
  ExpectRefused("{" + Tensor("a", "U16", "[4]", "[0,4]") + "}", 4, "needs 8 bytes");
  ExpectRefused("{" + Tensor("a", "U8", "[5]", "[0,4]") + "}", 4, "needs 5 bytes");
  // Empty tensors may lie at any boundary, and nowhere else.
  EXPECT_TRUE(Parse("{" + a + "," + Tensor("b", "U8", "[0]", "[4,4]") + "}", 4).ok());
  EXPECT_TRUE(Parse("{" + a + "," + Tensor("b", "U8", "[0]", "[0,0]") + "}", 4).ok());
  ExpectRefused("{" + a + "," + Tensor("b", "U8", "[0]", "[2,2]") + "}", 4, "begins at 2");
}

TEST(SafeTensors, ShapeAttacks) {
  ExpectRefused("{" + Tensor("a", "U8", "[4294967296,4294967296]", "[0,0]") + "}", 0, "overflows");
  ExpectRefused("{" + Tensor("a", "U8", "[4294967296,4294967296,0]", "[0,0]") + "}", 0, "overflows");
  ExpectRefused("{" + Tensor("a", "U8", "[0,4294967296,4294967296]", "[0,0]") + "}", 0, "overflows");
  ExpectRefused("{" + Tensor("a", "F64", "[2305843009213693952]", "[0,0]") + "}", 0, "overflows");
  ExpectRefused("{" + Tensor("a", "U8", "[9223372036854775808]", "[0,0]") + "}", 0, "dimension");
  ExpectRefused("{" + Tensor("a", "U8", "[-4]", "[0,4]") + "}", 4, "dimension");
  ExpectRefused("{" + Tensor("a", "U8", "[4.0]", "[0,4]") + "}", 4, "dimension");
  ExpectRefused("{" + Tensor("a", "U8", "[4e0]", "[0,4]") + "}", 4, "dimension");
  ExpectRefused("{" + Tensor("a", "U8", "[\"4\"]", "[0,4]") + "}", 4, "dimension");
  ExpectRefused("{" + Tensor("a", "U8", "[18446744073709551617]", "[0,4]") + "}", 4, "dimension");
  ExpectRefused("{" + Tensor("a", "U8", "4", "[0,4]") + "}", 4, "shape that is no list");
  ExpectRefused("{" + Tensor("a", "U8", "[1,1,1,1,1,1,1,1,4]", "[0,4]") + "}", 4, "9 dimensions",
                ErrorCode::kLimit);
  EXPECT_TRUE(Parse("{" + Tensor("a", "U8", "[]", "[0,1]") + "}", 1).ok());
}

TEST(SafeTensors, FieldAttacks) {
  ExpectRefused("{" + Tensor("a", "F4", "[4]", "[0,2]") + "}", 2, "dtype F4, known are U8");
  ExpectRefused("{" + Tensor("a", "f32", "[1]", "[0,4]") + "}", 4, "dtype f32");
  ExpectRefused(R"({"a":{"dtype":3,"shape":[4],"data_offsets":[0,4]}})", 4, "dtype");
  ExpectRefused("{" + Tensor("a", "U8", "[4]", "[0,4,4]") + "}", 4, "data_offsets");
  ExpectRefused("{" + Tensor("a", "U8", "[4]", "[0]") + "}", 4, "data_offsets");
  ExpectRefused("{" + Tensor("a", "U8", "[4]", "[-1,3]") + "}", 4, "data_offsets");
  ExpectRefused("{" + Tensor("a", "U8", "[4]", "[0.0,4]") + "}", 4, "data_offsets");
  ExpectRefused("{" + Tensor("a", "U8", "[4]", "{\"a\":0}") + "}", 4, "data_offsets");
  ExpectRefused(R"({"a":{"dtype":"U8","shape":[4]}})", 4, "other fields");
  ExpectRefused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}})", 4, "other fields");
  ExpectRefused(R"({"a":{"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]}})", 4, "twice");
  ExpectRefused(R"({"a":7})", 0, "other fields");
  ExpectRefused("{" + Tensor("a", "U8", "[4]", "[0,4]") + "," + Tensor("a", "U8", "[4]", "[4,8]") + "}", 8,
                "twice");
  ExpectRefused("{" + Tensor("a", "U8", "[[4]]", "[0,4]") + "}", 4, "nested");
}

TEST(SafeTensors, HeaderTextAttacks) {
  ExpectRefused("", 0, "brace");
  ExpectRefused(" {}", 0, "brace");
  ExpectRefused("[]", 0, "brace");
  ExpectRefused("{} x", 0, "not JSON");
  ExpectRefused(std::string("{}\0PK", 5), 0, "control character");
  ExpectRefused("{\"\xFF\":" + Tensor("a", "U8", "[4]", "[0,4]").substr(4) + "}", 4, "not JSON");
  ExpectRefused("{\"a", 0, "not JSON");
  ExpectRefused("{\"a\":" + std::string(100000, '['), 0, "nested");
  ExpectRefused("{" + Tensor(std::string(1025, 'n'), "U8", "[4]", "[0,4]") + "}", 4, "1025 bytes");
}

TEST(SafeTensors, MetadataAttacks) {
  ExpectRefused(R"({"__metadata__":{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}})", 0, "nested");
  ExpectRefused(R"({"__metadata__":{"a":{}}})", 0, "no string");
  ExpectRefused(R"({"__metadata__":{"a":1}})", 0, "no string");
  ExpectRefused(R"({"__metadata__":[]})", 0, "no object");
  ExpectRefused(R"({"__metadata__":{"a":"1","a":"2"}})", 0, "twice");
  ExpectRefused(R"({"__metadata__":{},"__metadata__":{}})", 0, "twice");
  EXPECT_TRUE(Parse(R"({"__metadata__":{}})", 0).ok());
}

TEST(SafeTensors, TooManyTensorsAreALimit) {
  std::string header = "{";
  for (int i = 0; i <= 65536; ++i) header += Tensor(std::to_string(i), "U8", "[0]", "[0,0]") + ",";
  header.back() = '}';
  ExpectRefused(header, 0, "65536 tensors", ErrorCode::kLimit);
}

TEST(SafeTensors, EveryTruncationAndEveryFlipInTheLengthIsRefused) {
  const std::vector<uint8_t> bytes = File("{" + Tensor("a", "F16", "[2,3]", "[0,12]") + "}", 12);
  ASSERT_TRUE(SafeTensors::Parse(bytes, "m").ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(SafeTensors::Parse({bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size)}, "m").ok())
        << size;
  }
  for (size_t bit = 0; bit < 64; ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(SafeTensors::Parse(flipped, "m").ok()) << bit;
  }
}

TEST(SafeTensors, OpenNamesTheFile) {
  testing::TempFolder folder;
  const auto missing = SafeTensors::Open(folder.Path("no.safetensors"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kModel);
  EXPECT_NE(missing.error().message.find(folder.Path("no.safetensors")), std::string::npos);
  testing::Put(folder.Path("m.safetensors"), std::string(1000, 'x'));
  Limits limits;
  limits.max_model_bytes = 999;
  const auto large = SafeTensors::Open(folder.Path("m.safetensors"), limits);
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, ErrorCode::kLimit);
}

TEST(SafeTensors, LimitsAreNamed) {
  Limits limits;
  limits.max_model_bytes = 63;
  const auto large = SafeTensors::Parse(std::vector<uint8_t>(64), "m.safetensors", limits);
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, ErrorCode::kLimit);
  EXPECT_EQ(large.error().message.find("m.safetensors: holds 64 bytes; max_model_bytes is 63"), 0u);
  std::map<std::string, TensorView> many;
  for (int i = 0; i < 65537; ++i) many[std::to_string(i)] = {DType::kU8, {0}, {}};
  const auto written = WriteSafeTensors(many, {});
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kLimit);
}

TEST(SafeTensors, ViewsSurviveAMove) {
  auto file = Parse("{" + Tensor("a", "U8", "[4]", "[0,4]") + "}", 4);
  ASSERT_TRUE(file.ok());
  const SafeTensors moved = std::move(*file);
  EXPECT_EQ(moved.Get("a")->bytes[3], 3);
}

}  // namespace
}  // namespace vqc
