// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>

namespace vqc {
namespace {

TEST(Json, ReadsWhatTheLibraryReads) {
  const std::string text =
      R"({"a":[1,-2,3.5,true,null,"x\u00e9"],"b":{"c":{"d":[[],{}]}},"e":18446744073709551615} )";
  const auto json = ParseJsonObject(text);
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ(*json, nlohmann::json::parse(text));
}

TEST(Json, RefusesEverythingElse) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "not JSON"},
      {"[1]", "an object is expected"},
      {"1", "an object is expected"},
      {"{\"a\":1,\"a\":2}", "a stands there twice"},
      {"{\"a\":{\"b\":1,\"b\":1}}", "b stands there twice"},
      {"{\"a\":1}{", "not JSON"},
      {"{\"a\":1} x", "not JSON"},
      {std::string("{\"a\":1}\0x", 9), "control character"},
      {std::string("{\"a\":1}\0", 8), "control character"},
      {"\xEF\xBB\xBF{}", "byte order mark"},
      {"{\"a\":NaN}", "not JSON"},
      {"{\"a\":1e999}", "not JSON"},
      {"{\"a\":01}", "not JSON"},
      {"{\"a\":\"\xFF\"}", "not JSON"},
      {"{\"a\":\"\xC0\x80\"}", "not JSON"},
      {"{\"a\":\"\\ud800\"}", "not JSON"},
      {"{/**/}", "not JSON"},
      {"{\"a\":1,}", "not JSON"},
      {"{\"a\"", "not JSON"},
  };
  for (const auto& [text, part] : cases) {
    const auto json = ParseJsonObject(text);
    ASSERT_FALSE(json.ok()) << text;
    EXPECT_EQ(json.error().code, ErrorCode::kInput);
    EXPECT_NE(json.error().message.find(part), std::string::npos) << json.error().message;
    EXPECT_EQ(json.error().message.find('\n'), std::string::npos);
  }
}

TEST(Json, LimitsHold) {
  const auto nested = [](size_t depth) {
    std::string text;
    for (size_t i = 0; i < depth; ++i) text += "{\"a\":";
    text += "1";
    return text + std::string(depth, '}');
  };
  EXPECT_TRUE(ParseJsonObject(nested(8)).ok());
  EXPECT_FALSE(ParseJsonObject(nested(9)).ok());
  EXPECT_FALSE(ParseJsonObject(nested(200000)).ok());
  EXPECT_FALSE(ParseJsonObject("{\"a\":" + std::string(1000000, '[')).ok());
  EXPECT_TRUE(ParseJsonObject("{\"a\":[1,2,3]}", {.max_values = 5}).ok());
  EXPECT_FALSE(ParseJsonObject("{\"a\":[1,2,3]}", {.max_values = 4}).ok());
  EXPECT_TRUE(ParseJsonObject("{\"abc\":1}", {.max_key_bytes = 3}).ok());
  EXPECT_FALSE(ParseJsonObject("{\"abcd\":1}", {.max_key_bytes = 3}).ok());
}

}  // namespace
}  // namespace vqc
