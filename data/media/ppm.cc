// SPDX-License-Identifier: Apache-2.0
#include "data/media/ppm.h"

#include <cstring>
#include <optional>
#include <string_view>

#include "data/media/image_header.h"
#include "data/media/samples.h"

namespace vqc {
namespace {

struct PpmHeader {
  uint64_t width = 0, height = 0, maxval = 0;
  int channels = 0;
  size_t data_at = 0;
};

bool IsSpace(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Cursor over the text part. Every step moves forward, so a header costs its length at most.
class HeaderText {
 public:
  HeaderText(std::span<const uint8_t> bytes, size_t at) : bytes_(bytes), at_(at) {}

  size_t at() const { return at_; }
  bool AtEnd() const { return at_ >= bytes_.size(); }

  // Skips white space and comments.
  void Skip() {
    while (!AtEnd()) {
      if (bytes_[at_] == '#') {
        while (!AtEnd() && bytes_[at_] != '\n') ++at_;
      } else if (IsSpace(bytes_[at_])) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string_view Word() {
    const size_t from = at_;
    while (!AtEnd() && !IsSpace(bytes_[at_])) ++at_;
    return {reinterpret_cast<const char*>(bytes_.data()) + from, at_ - from};
  }

  // A decimal number of at most 10 digits that fits in 32 bits.
  std::optional<uint64_t> Number() {
    Skip();
    const std::string_view word = Word();
    if (word.empty() || word.size() > 10) return std::nullopt;
    uint64_t value = 0;
    for (const char c : word) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + static_cast<uint64_t>(c - '0');
    }
    if (value > 0xFFFFFFFFu) return std::nullopt;
    return value;
  }

  // The single white space character between header and samples.
  bool EndsHeader() { return !AtEnd() && IsSpace(bytes_[at_++]); }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_;
};

Error Malformed(const std::string& name, const std::string& field) {
  return BadImage(name, "the PPM/PGM/PAM header is cut off or damaged: no valid " + field);
}

Result<PpmHeader> ReadPamHeader(HeaderText text, const std::string& name) {
  PpmHeader header;
  std::optional<uint64_t> width, height, depth, maxval;
  std::string_view type;
  for (;;) {
    text.Skip();
    const std::string_view word = text.Word();
    if (word == "ENDHDR") break;
    if (word == "WIDTH") {
      width = text.Number();
    } else if (word == "HEIGHT") {
      height = text.Number();
    } else if (word == "DEPTH") {
      depth = text.Number();
    } else if (word == "MAXVAL") {
      maxval = text.Number();
    } else if (word == "TUPLTYPE") {
      text.Skip();
      type = text.Word();
    } else {
      return Malformed(name, "line '" + std::string(word.substr(0, 16)) + "'");
    }
  }
  if (!text.EndsHeader()) return Malformed(name, "ENDHDR");
  if (!width || !height || !depth || !maxval) return Malformed(name, "WIDTH, HEIGHT, DEPTH and MAXVAL");
  struct Kind {
    std::string_view type;
    uint64_t depth;
  };
  constexpr Kind kKinds[] = {{"BLACKANDWHITE", 1}, {"BLACKANDWHITE_ALPHA", 2},
                             {"GRAYSCALE", 1},     {"GRAYSCALE_ALPHA", 2},
                             {"RGB", 3},           {"RGB_ALPHA", 4}};
  bool known = type.empty() && *depth >= 1 && *depth <= 4;
  for (const Kind& kind : kKinds) known = known || (kind.type == type && kind.depth == *depth);
  if (!known) {
    return BadImage(name, "the PAM file has TUPLTYPE '" + std::string(type.substr(0, 32)) + "' with DEPTH " +
                              std::to_string(*depth) + "; GRAYSCALE (1), GRAYSCALE_ALPHA (2), RGB (3) and " +
                              "RGB_ALPHA (4) are read");
  }
  header.width = *width;
  header.height = *height;
  header.maxval = *maxval;
  header.channels = static_cast<int>(*depth);
  header.data_at = text.at();
  return header;
}

Result<PpmHeader> ReadPnmHeader(HeaderText text, int channels, const std::string& name) {
  PpmHeader header;
  const auto width = text.Number(), height = text.Number(), maxval = text.Number();
  if (!width) return Malformed(name, "width");
  if (!height) return Malformed(name, "height");
  if (!maxval || !text.EndsHeader()) return Malformed(name, "maxval");
  header.width = *width;
  header.height = *height;
  header.maxval = *maxval;
  header.channels = channels;
  header.data_at = text.at();
  return header;
}

template <class T>
Status ReadRows(const uint8_t* from, const PpmHeader& header, const std::string& name, Clip& clip) {
  const int width = static_cast<int>(header.width), height = static_cast<int>(header.height);
  const uint32_t maxval = static_cast<uint32_t>(header.maxval);
  std::vector<T> row(static_cast<size_t>(width) * header.channels);
  RowSink sink(clip, width, height, header.channels, 1);
  for (int y = 0; y < height; ++y) {
    for (T& value : row) {
      if constexpr (sizeof(T) == 2) {
        value = static_cast<T>(from[0] << 8 | from[1]);
      } else {
        value = *from;
      }
      from += sizeof(T);
      if (value > maxval) {
        return BadImage(name, "a sample of row " + std::to_string(y) + " is " + std::to_string(value) +
                                  ", above the header's maxval " + std::to_string(maxval));
      }
    }
    sink.Put(y, row.data(), maxval);
  }
  return {};
}

std::vector<uint8_t> WriteSamples(const std::string& head, const Clip& clip) {
  const uint32_t max = SampleMax(clip);
  std::vector<uint16_t> row(static_cast<size_t>(clip.width) * clip.channels);
  const size_t sample_bytes = max > 255 ? 2 : 1;
  std::vector<uint8_t> out;
  out.reserve(head.size() + row.size() * sample_bytes * clip.height);
  out.insert(out.end(), head.begin(), head.end());
  for (int y = 0; y < clip.height; ++y) {
    TakeRow(clip, y, max, row.data());
    for (const uint16_t value : row) {
      if (sample_bytes == 2) out.push_back(static_cast<uint8_t>(value >> 8));
      out.push_back(static_cast<uint8_t>(value));
    }
  }
  return out;
}

}  // namespace

Result<Clip> ReadPpm(std::span<const uint8_t> bytes, const std::string& name, const Limits& limits) {
  if (bytes.size() < 3 || bytes[0] != 'P') return Malformed(name, "magic number");
  const char kind = static_cast<char>(bytes[1]);
  if (kind != '5' && kind != '6' && kind != '7') {
    return BadImage(name, std::string("is a P") + kind +
                              " file; P5 (gray), P6 (colour) and P7 (PAM) are read. "
                              "Convert it to one of these first");
  }
  const HeaderText text(bytes, 2);
  auto parsed = kind == '7' ? ReadPamHeader(text, name) : ReadPnmHeader(text, kind == '6' ? 3 : 1, name);
  if (!parsed) return std::move(parsed).error();
  const PpmHeader& header = *parsed;
  VQC_TRY(CheckImageSize(header.width, header.height, name, limits));
  if (header.maxval == 0 || header.maxval > 65535) {
    return BadImage(name, "maxval is " + std::to_string(header.maxval) + "; 1 to 65535 is allowed");
  }
  const uint64_t sample_bytes = header.maxval > 255 ? 2 : 1;
  const uint64_t need = header.width * header.height * static_cast<uint64_t>(header.channels) * sample_bytes;
  const uint64_t have = bytes.size() - header.data_at;
  if (have < need) return CutOff(name, "PPM/PGM/PAM", bytes.size());
  if (have > need) {
    return BadImage(name, std::to_string(have - need) +
                              " bytes follow the picture; a file of several pictures is "
                              "not read. Split it first");
  }
  Clip clip;
  clip.bit_depth = sample_bytes == 2 ? 16 : 8;
  const uint8_t* data = bytes.data() + header.data_at;
  VQC_TRY(sample_bytes == 2 ? ReadRows<uint16_t>(data, header, name, clip)
                            : ReadRows<uint8_t>(data, header, name, clip));
  return clip;
}

std::vector<uint8_t> WritePpm(const Clip& clip) {
  return WriteSamples(std::string(clip.channels == 3 ? "P6" : "P5") + "\n" + std::to_string(clip.width) +
                          " " + std::to_string(clip.height) + "\n" + std::to_string(SampleMax(clip)) + "\n",
                      clip);
}

std::vector<uint8_t> WritePam(const Clip& clip) {
  constexpr std::string_view kTypes[] = {"GRAYSCALE", "GRAYSCALE_ALPHA", "RGB", "RGB_ALPHA"};
  return WriteSamples("P7\nWIDTH " + std::to_string(clip.width) + "\nHEIGHT " + std::to_string(clip.height) +
                          "\nDEPTH " + std::to_string(clip.channels) + "\nMAXVAL " +
                          std::to_string(SampleMax(clip)) + "\nTUPLTYPE " +
                          std::string(kTypes[clip.channels - 1]) + "\nENDHDR\n",
                      clip);
}

}  // namespace vqc
