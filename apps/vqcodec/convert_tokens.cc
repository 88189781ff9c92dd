// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/convert_tokens.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>

#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/records.h"
#include "base/file.h"
#include "base/printable.h"
#include "codec/ecdc.h"

namespace vqc {
namespace {

// The ending says what is meant to be written.
Status CheckEnding(const TokenConversion& conversion, const std::string& extension) {
  if (std::filesystem::path(conversion.output).extension() == extension) return {};
  return Error{ErrorCode::kUsage, "becomes a file " + extension + "; --output is " +
                                      Printable(conversion.output) + ", which has another ending"};
}

struct Converted {
  std::vector<uint8_t> bytes;
  ModelCard card;
  uint64_t samples = 0;
  uint32_t levels = 0;
};

Result<Converted> FromEcdc(const TokenConversion& conversion, std::span<const uint8_t> bytes) {
  VQC_TRY(CheckEnding(conversion, ".vqc"));
  if (conversion.model.empty()) {
    return Error{ErrorCode::kUsage,
                 "--model has to name a converted EnCodec of 24 or 48 kHz, whose tokens these are"};
  }
  VQC_ASSIGN(const EcdcSound sound, ReadEcdc(bytes));
  VQC_ASSIGN(const ModelEntry entry, FindModel(conversion.model));
  VQC_ASSIGN(const Bundle bundle, LoadPriorOnly(entry, conversion.limits));
  VQC_ASSIGN(auto stream, StreamOfEcdc(sound, bundle));
  return Converted{std::move(stream), bundle.card, sound.samples, sound.levels};
}

Result<Converted> ToEcdc(const TokenConversion& conversion, std::span<const uint8_t> bytes) {
  VQC_TRY(CheckEnding(conversion, ".ecdc"));
  if (!conversion.model.empty()) {
    return Error{ErrorCode::kUsage, "a .vqc stream names its model itself; leave --model out"};
  }
  VQC_ASSIGN(const Stream stream, ReadStream(bytes, conversion.limits));
  VQC_ASSIGN(const ModelEntry entry, FindModel(stream.header.model_key));
  VQC_ASSIGN(const Bundle bundle, LoadPriorOnly(entry, conversion.limits));
  VQC_ASSIGN(const EcdcSound sound, EcdcOfStream(stream, bundle, conversion.limits));
  return Converted{WriteEcdc(sound), bundle.card, sound.samples, sound.levels};
}

}  // namespace

bool HoldsTokens(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> head{};
  file.read(head.data(), head.size());
  const std::span begin(reinterpret_cast<const uint8_t*>(head.data()), static_cast<size_t>(file.gcount()));
  return LooksLikeEcdc(begin) || LooksLikeStream(begin);
}

Status ConvertTokens(const TokenConversion& conversion) {
  VQC_ASSIGN(const auto bytes,
             ReadFile(conversion.input, conversion.limits.max_input_bytes, "max_input_bytes"));
  OutputOptions output;
  output.file = conversion.output;
  output.force = conversion.force;
  VQC_ASSIGN(const auto jobs, PlanJobs({{conversion.input, conversion.input}}, output, ""));
  if (jobs.front().refusal) return *jobs.front().refusal;
  auto made = LooksLikeEcdc(bytes) ? FromEcdc(conversion, bytes) : ToEcdc(conversion, bytes);
  if (!made.ok()) {
    Error error = std::move(made).error();
    error.message = Printable(conversion.input) + ": " + error.message;
    return error;
  }
  const Converted converted = *std::move(made);
  VQC_TRY(WriteOutput(conversion.output, converted.bytes, output));
  if (conversion.json) {
    nlohmann::json record = ModelRecord(converted.card);
    record["input"] = conversion.input;
    record["output"] = conversion.output;
    record["samples"] = converted.samples;
    record["levels"] = converted.levels;
    record["bytes_before"] = bytes.size();
    record["bytes"] = converted.bytes.size();
    std::cout << record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  }
  if (!conversion.quiet) {
    std::fprintf(stderr, "%s -> %s: %s -> %s\n", Printable(conversion.input).c_str(),
                 Printable(conversion.output).c_str(), SizeText(bytes.size()).c_str(),
                 SizeText(converted.bytes.size()).c_str());
  }
  return {};
}

}  // namespace vqc
