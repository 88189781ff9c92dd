// SPDX-License-Identifier: Apache-2.0
// Thrift's compact protocol, as far as Parquet's metadata needs it: structs of whole numbers, bytes, lists
// and structs.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vqc {

class ThriftWriter {
 public:
  // Fields of the struct at hand, by rising number.
  void I32(int field, int32_t value) { Number(field, kI32, value); }
  void I64(int field, int64_t value) { Number(field, kI64, value); }
  void Bytes(int field, std::string_view bytes);
  void BeginStruct(int field);
  void EndStruct();  // also of the outermost one, which is begun already
  void I32List(int field, std::initializer_list<int32_t> values);
  void BytesList(int field, std::initializer_list<std::string_view> values);
  void BeginStructList(int field, size_t size);
  void BeginElement() { last_.push_back(0); }  // and EndStruct; nothing ends the list

  std::span<const uint8_t> bytes() const { return out_.bytes(); }

 private:
  static constexpr uint8_t kI32 = 5, kI64 = 6, kBinary = 8, kList = 9, kStruct = 12;
  void Header(int field, uint8_t type);
  void Number(int field, uint8_t type, int64_t value);
  void ListHeader(int field, uint8_t type, size_t size);
  void Text(std::string_view bytes);

  ByteWriter out_;
  std::vector<int> last_ = {0};  // the last field of each open struct
};

// A struct, read whole. What a field is not is zero or empty.
struct ThriftValue {
  int64_t number = 0;
  std::span<const uint8_t> bytes;
  std::vector<ThriftValue> list;
  std::map<int, ThriftValue> fields;

  const ThriftValue& operator[](int field) const;
};
// About the memory of a value. Each has a byte at least, so that `size` bytes take no more than this times
// size.
constexpr uint64_t kThriftValueMemory = 128;
// nullopt where the bytes are damaged, nested deeper than Parquet's are, or of more than `max_values` values;
// moves the reader behind the struct.
std::optional<ThriftValue> ReadThriftStruct(ByteReader& reader, uint64_t max_values = 1 << 22);

}  // namespace vqc
