// SPDX-License-Identifier: Apache-2.0
#include "data/media/npy_image.h"

#include <cstring>
#include <limits>

#include "tests/data/media/media_files.h"

namespace vqc {
namespace {

std::vector<uint8_t> Npy(const std::string& dict, const std::string& data, char version = 1) {
  std::string text = "\x93NUMPY";
  text.append({version, '\0'});
  text += static_cast<char>(dict.size() & 0xFF);
  text += static_cast<char>(dict.size() >> 8);
  if (version > 1) text += std::string(2, '\0');
  text += dict + data;
  return {text.begin(), text.end()};
}

std::string Dict(const std::string& descr, const std::string& shape, const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

template <class T>
std::string Bytes(const std::vector<T>& values) {
  std::string out(values.size() * sizeof(T), '\0');
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

void ExpectRefused(const std::vector<uint8_t>& bytes, const std::string& says,
                   ErrorCode code = ErrorCode::kInput) {
  const auto found = ReadImage(bytes, "x.npy");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, code);
  EXPECT_NE(found.error().message.find(says), std::string::npos) << found.error().message;
}

TEST(NpyImage, ReadsGrayAndColour) {
  auto clip = ReadImage(Npy(Dict("|u1", "(1, 2)"), "ab"), "x");
  ASSERT_TRUE(clip.ok()) << clip.error().message;
  EXPECT_EQ(clip->channels, 1);
  EXPECT_EQ(clip->width, 2);
  EXPECT_EQ(SampleAt(*clip, 0, 1, 0), 'b');
  clip = ReadImage(Npy(Dict("|u1", "(2, 1, 3)"), "abcdef", 2), "x");
  ASSERT_TRUE(clip.ok()) << clip.error().message;
  EXPECT_EQ(clip->channels, 3);
  EXPECT_EQ(SampleAt(*clip, 1, 0, 2), 'f');
}

TEST(NpyImage, ReadsBothByteOrders) {
  for (const std::string descr : {"<u2", ">u2"}) {
    const auto clip = ReadImage(Npy(Dict(descr, "(1, 1)"), "\x01\x02"), "x");
    ASSERT_TRUE(clip.ok()) << clip.error().message;
    EXPECT_EQ(clip->bit_depth, 16);
    EXPECT_EQ(SampleAt(*clip, 0, 0, 0), descr == "<u2" ? 0x0201 : 0x0102);
  }
}

TEST(NpyImage, KeepsFloatsAsTheyAre) {
  const std::vector<float> values = {-1.0f, 0.12345678f, 1.0f, -0.5f};
  const auto clip = ReadImage(Npy(Dict("<f4", "(2, 1, 2)"), Bytes(values)), "x");
  ASSERT_TRUE(clip.ok()) << clip.error().message;
  EXPECT_EQ(clip->data, (std::vector<float>{-1.0f, 1.0f, 0.12345678f, -0.5f}));
}

TEST(NpyImage, RefusesFloatsOutsideTheRange) {
  for (const float bad :
       {1.001f, -255.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    ExpectRefused(Npy(Dict("<f4", "(1, 2)"), Bytes<float>({0, bad})), "row 0, column 1");
  }
}

TEST(NpyImage, RefusesWithReasons) {
  ExpectRefused(Npy(Dict("<f8", "(1, 1)"), std::string(8, 'a')), "'<f8'");
  ExpectRefused(Npy(Dict("|i1", "(1, 1)"), "a"), "uint8");
  ExpectRefused(Npy(Dict("|O", "(1, 1)"), "a"), "'|O'");
  ExpectRefused(Npy(Dict("|u1", "(1, 1)", "True"), "a"), "Fortran");
  ExpectRefused(Npy(Dict("|u1", "(1,)"), "a"), "[1]");
  ExpectRefused(Npy(Dict("|u1", "(3, 1, 5)"), std::string(15, 'a')), "channels last");
  ExpectRefused(Npy(Dict("|u1", "(1, 1, 0)"), ""), "channels last");
  ExpectRefused(Npy(Dict("|u1", "(0, 1)"), ""), "empty");
  ExpectRefused(Npy(Dict("|u1", "(60000, 60000)"), ""), "max_width", ErrorCode::kLimit);
  ExpectRefused(Npy(Dict("|u1", "(99999999999, 1)"), ""), "header is damaged");
  ExpectRefused(Npy(Dict("|u1", "(1, 1)"), "ab"), "1 bytes follow");
  ExpectRefused(Npy(Dict("|u1", "(1, 1)"), "a", 9), "version is 9");
  for (const std::string dict :
       {"", "{", "{}", "{'descr': '|u1'}",
        "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '|u1', 'fortran_order': 0, 'shape': (1, 1)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 1)}", "{'descr: '|u1'",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1), 'x': 1}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1)} x"}) {
    ExpectRefused(Npy(dict, "a"), "header is damaged");
  }
}

}  // namespace
}  // namespace vqc
