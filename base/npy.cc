// SPDX-License-Identifier: Apache-2.0
#include "base/npy.h"

#include <optional>

namespace vqc {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeader = 4096;  // numpy writes 118 bytes for three dimensions

// The part of Python's literals that numpy writes here, and nothing else.
class DictText {
 public:
  explicit DictText(std::string_view text) : text_(text) {}

  std::optional<NpyHeader> Parse() {
    NpyHeader header;
    bool descr = false, order = false, shape = false;
    if (!Take('{')) return std::nullopt;
    while (!Take('}')) {
      std::string key;
      if (!Quoted(key) || !Take(':')) return std::nullopt;
      bool* seen = key == "descr"           ? &descr
                   : key == "fortran_order" ? &order
                   : key == "shape"         ? &shape
                                            : nullptr;
      if (!seen || *seen) return std::nullopt;
      *seen = true;
      const bool good = key == "descr"   ? Quoted(header.descr)
                        : key == "shape" ? Shape(header.shape)
                                         : Bool(header.fortran);
      if (!good) return std::nullopt;
      if (!Take(',') && !Peek('}')) return std::nullopt;
    }
    Space();
    if (at_ != text_.size() || !descr || !order || !shape) return std::nullopt;
    return header;
  }

 private:
  void Space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool Peek(char c) {
    Space();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool Take(char c) {
    if (!Peek(c)) return false;
    ++at_;
    return true;
  }
  bool Quoted(std::string& out) {
    const char quote = Peek('"') ? '"' : '\'';
    if (!Take(quote)) return false;
    const size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) return false;
    out = text_.substr(at_, end - at_);
    at_ = end + 1;
    return true;
  }
  bool Bool(bool& out) {
    Space();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      out = value;
      return true;
    }
    return false;
  }
  bool Shape(std::vector<uint64_t>& out) {
    if (!Take('(')) return false;
    while (!Take(')')) {
      Space();
      uint64_t value = 0;
      size_t digits = 0;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_, ++digits) {
        if (digits == 10) return false;
        value = value * 10 + static_cast<uint64_t>(text_[at_] - '0');
      }
      if (digits == 0 || out.size() == 32) return false;  // numpy's most dimensions
      out.push_back(value);
      if (!Take(',') && !Peek(')')) return false;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

Error Bad(const std::string& message) { return {ErrorCode::kInput, message}; }

Error CutOff(size_t size) {
  return Bad("the .npy file is cut off or damaged: it ends after " + std::to_string(size) +
             " bytes, before its array does; copy it again from its source");
}

}  // namespace

Result<NpyHeader> ParseNpyHeader(std::span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (bytes.size() < 10 || !text.starts_with(kMagic)) return CutOff(bytes.size());
  const int version = bytes[6];
  if (version < 1 || version > 3) {
    return Bad("the .npy version is " + std::to_string(version) + "; 1 to 3 are read");
  }
  const size_t text_at = version == 1 ? 10 : 12;
  if (bytes.size() < text_at) return CutOff(bytes.size());
  size_t length = 0;
  for (size_t i = text_at; i-- > 8;) length = length << 8 | bytes[i];
  if (length > kMaxHeader) {
    return Bad("the .npy header takes " + std::to_string(length) + " bytes; at most " +
               std::to_string(kMaxHeader) + " are allowed");
  }
  if (bytes.size() - text_at < length) return CutOff(bytes.size());
  auto header = DictText(text.substr(text_at, length)).Parse();
  if (!header) return Bad("the .npy header is damaged: a dict of descr, fortran_order and shape is expected");
  header->data_at = text_at + length;
  return *std::move(header);
}

std::string NpyHeaderOf(std::string_view descr, const std::vector<uint64_t>& shape) {
  std::string sizes;
  for (const uint64_t size : shape) sizes += std::to_string(size) + ", ";
  if (shape.size() > 1) sizes.resize(sizes.size() - 2);
  std::string text =
      "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  // The array begins at a multiple of 64 bytes, after a newline.
  while ((10 + text.size() + 1) % 64) text += ' ';
  text += '\n';
  std::string header(kMagic);
  header += {'\1', '\0', static_cast<char>(text.size() & 0xFF), static_cast<char>(text.size() >> 8)};
  return header + text;
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace vqc
