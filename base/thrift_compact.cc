// SPDX-License-Identifier: Apache-2.0
#include "base/thrift_compact.h"

namespace vqc {
namespace {

constexpr int kMaxDepth = 8;
enum Type : uint8_t {
  kTrue = 1,
  kFalse = 2,
  kByte = 3,
  kI16 = 4,
  kI32 = 5,
  kI64 = 6,
  kDouble = 7,
  kBinary = 8,
  kList = 9,
  kSet = 10,
  kStruct = 12
};

uint64_t ZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
int64_t UnZigZag(uint64_t value) { return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1)); }

// Reads one struct. Values are counted: each takes far more memory than bytes.
class Parser {
 public:
  Parser(ByteReader& reader, uint64_t max_values) : reader_(reader), left_(max_values) {}

  bool Struct(int depth, ThriftValue& out) {
    int last = 0;
    for (;;) {
      const uint8_t head = reader_.U8();
      if (!reader_.ok()) return false;
      if (head == 0) return true;
      const int field =
          head >> 4 ? last + (head >> 4) : static_cast<int>(UnZigZag(reader_.Varint()) & 0xFFFF);
      last = field;
      ThriftValue value;
      if (!reader_.ok() || !Take(1) || !Value(head & 15, depth, value)) return false;
      out.fields[field] = std::move(value);
    }
  }

 private:
  bool Take(uint64_t values) {
    if (values > left_) return false;
    left_ -= values;
    return true;
  }

  bool Value(uint8_t type, int depth, ThriftValue& out) {
    if (depth > kMaxDepth) return false;
    switch (type) {
      case kTrue:
      case kFalse:
        out.number = type == kTrue;
        return true;
      case kByte:
        out.number = reader_.U8();
        return reader_.ok();
      case kI16:
      case kI32:
      case kI64:
        out.number = UnZigZag(reader_.Varint());
        return reader_.ok();
      case kDouble:
        reader_.U64();
        return reader_.ok();
      case kBinary:
        out.bytes = reader_.Bytes(reader_.Varint());
        return reader_.ok();
      case kStruct:
        return Struct(depth + 1, out);
      case kList:
      case kSet:
        return List(depth, out);
      default:
        return false;
    }
  }

  bool List(int depth, ThriftValue& out) {
    const uint8_t head = reader_.U8();
    const uint64_t size = head >> 4 == 15 ? reader_.Varint() : head >> 4;
    // Every element takes a byte at least, so that a list cannot be larger than what is left.
    if (!reader_.ok() || size > reader_.remaining() || !Take(size)) return false;
    out.list.resize(static_cast<size_t>(size));
    // A truth in a list is a byte; that of a field is its type.
    const uint8_t type = head & 15, read_as = type == kTrue || type == kFalse ? kByte : type;
    for (ThriftValue& value : out.list) {
      if (!Value(read_as, depth + 1, value)) return false;
    }
    return true;
  }

  ByteReader& reader_;
  uint64_t left_;
};

}  // namespace

void ThriftWriter::Header(int field, uint8_t type) {
  const int step = field - last_.back();
  last_.back() = field;
  if (step >= 1 && step <= 15) {
    out_.U8(static_cast<uint8_t>(step << 4 | type));
  } else {
    out_.U8(type);
    out_.Varint(ZigZag(field));
  }
}

void ThriftWriter::Number(int field, uint8_t type, int64_t value) {
  Header(field, type);
  out_.Varint(ZigZag(value));
}

void ThriftWriter::Text(std::string_view bytes) {
  out_.Varint(bytes.size());
  out_.Append(bytes);
}

void ThriftWriter::Bytes(int field, std::string_view bytes) {
  Header(field, kBinary);
  Text(bytes);
}

void ThriftWriter::BeginStruct(int field) {
  Header(field, kStruct);
  last_.push_back(0);
}

void ThriftWriter::EndStruct() {
  out_.U8(0);
  last_.pop_back();
}

void ThriftWriter::ListHeader(int field, uint8_t type, size_t size) {
  Header(field, kList);
  out_.U8(static_cast<uint8_t>((size < 15 ? size : 15) << 4 | type));
  if (size >= 15) out_.Varint(size);
}

void ThriftWriter::I32List(int field, std::initializer_list<int32_t> values) {
  ListHeader(field, kI32, values.size());
  for (const int32_t value : values) out_.Varint(ZigZag(value));
}

void ThriftWriter::BytesList(int field, std::initializer_list<std::string_view> values) {
  ListHeader(field, kBinary, values.size());
  for (const std::string_view value : values) Text(value);
}

void ThriftWriter::BeginStructList(int field, size_t size) { ListHeader(field, kStruct, size); }

const ThriftValue& ThriftValue::operator[](int field) const {
  static const ThriftValue none;
  const auto found = fields.find(field);
  return found == fields.end() ? none : found->second;
}

std::optional<ThriftValue> ReadThriftStruct(ByteReader& reader, uint64_t max_values) {
  ThriftValue value;
  if (!Parser(reader, max_values).Struct(0, value)) return std::nullopt;
  return value;
}

}  // namespace vqc
