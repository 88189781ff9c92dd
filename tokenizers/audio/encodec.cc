// SPDX-License-Identifier: Apache-2.0
// EnCodec (Defossez et al. 2022, arXiv 2210.13438): SEANet with an LSTM around a residual quantizer, causal
// (24 kHz), looking ahead (32 kHz, of MusicGen) or in segments that it sees as a whole (48 kHz).
#include <algorithm>
#include <bit>
#include <cstdint>

#include "models/nn/seanet.h"
#include "tokenizers/audio/residual_codes.h"
#include "tokenizers/audio/stream_tokenizer.h"

namespace vqc {
namespace {

constexpr int kMaxRate = 1 << 20, kMaxLevels = 64, kMaxChannels = 8, kMaxSegment = 1 << 20;

// Levels of the highest bandwidth, as the checkpoints state them: in kbit/s.
int LevelsOf(nn::ConfigFields& fields, const nlohmann::json& network, int rate, int stride, int entries) {
  if (network.is_object() && network.contains("levels")) return fields.Whole("levels", 1, kMaxLevels, 1);
  double highest = 24;
  if (network.is_object() && network.contains("target_bandwidths")) {
    const auto& bandwidths = network["target_bandwidths"];
    const bool sound = bandwidths.is_array() && !bandwidths.empty() && bandwidths.back().is_number();
    highest = sound ? bandwidths.back().get<double>() : 0;
  }
  const int bits = std::bit_width(static_cast<unsigned>(entries - 1));
  const double level = (rate + stride - 1) / stride * bits;  // bit/s
  const double levels = 1000 * highest / level;
  if (!(levels >= 1 && levels < kMaxLevels + 1)) {
    fields.Refuse("\"target_bandwidths\" must end in kbit/s that are 1 to " + std::to_string(kMaxLevels) +
                  " levels of " + std::to_string(level / 1000) + " kbit/s");
    return 1;
  }
  return static_cast<int>(levels);
}

bool HasSegments(const nlohmann::json& network) {
  return network.is_object() && network.contains("chunk_length_s") && !network["chunk_length_s"].is_null();
}

// Of a network with segments, as their own program counts the samples.
void ReadSegments(nn::ConfigFields& fields, StreamParts& parts, nn::SeanetConfig& seanet) {
  parts.channels = seanet.channels = fields.Whole("audio_channels", 1, kMaxChannels, 1);
  seanet.whole_norm = fields.Choice("norm_type", {"weight_norm", "time_group_norm"}) == "time_group_norm";
  const double seconds = fields.Number("chunk_length_s", 0, 60, 1);
  const double overlap = fields.Number("overlap", 0, 0.5, 0.01);
  const double samples = seconds * parts.rate;
  parts.segments.samples = static_cast<int>(std::min<double>(samples, kMaxSegment));
  parts.segments.hop = static_cast<int>((1.0 - overlap) * parts.segments.samples);
  parts.latency = parts.segments.samples;
  if (samples > kMaxSegment || parts.segments.hop < parts.stride ||
      2 * parts.segments.hop < parts.segments.samples) {
    fields.Refuse("\"chunk_length_s\" makes segments of " + std::to_string(samples) +
                  " samples, \"overlap\" one every " + std::to_string(parts.segments.hop) +
                  "; segments have at most " + std::to_string(kMaxSegment) +
                  ", and begin at least half of one and a token apart");
  }
  if (!fields.Flag("normalize", false))
    fields.Refuse("\"normalize\" is not true; segments without scales are not supported");
  if (seanet.whole_norm && seanet.causal)
    fields.Refuse(
        "\"norm_type\" is \"time_group_norm\" and \"use_causal_conv\" true; that norm sees what follows");
}

// Of one without: the config may name what it does not have.
void ReadPlain(nn::ConfigFields& fields, StreamParts& parts, const nn::SeanetConfig& seanet) {
  fields.Only("audio_channels", 1);
  fields.Only("normalize", false);
  fields.Only("norm_type", "weight_norm");
  if (!seanet.causal) {
    parts.latency = parts.stride + seanet.Ahead() + seanet.DecoderAhead();
    return;
  }
  // Where the beginning is mirrored, the convolutions beside the latents wait for the rows that they mirror.
  const bool mirrored = seanet.padding == nn::Padding::kReflect;
  parts.latency = parts.stride * (mirrored ? std::max(seanet.kernel, seanet.last_kernel) : 1);
}

}  // namespace

Result<StreamParts> MakeEncodec(const nlohmann::json& network, const nn::Weights& weights) {
  nn::ConfigFields fields(network);
  auto seanet = nn::SeanetConfig::Read(fields, {});
  StreamParts parts;
  parts.rate = fields.Whole("sampling_rate", 1, kMaxRate, 24000);
  parts.stride = seanet.Stride();
  if (HasSegments(network)) {
    ReadSegments(fields, parts, seanet);
  } else {
    ReadPlain(fields, parts, seanet);
  }
  const int entries = fields.Whole("codebook_size", 2, 1 << 20, 1024);
  const int dim = fields.Whole("codebook_dim", 1, 1024, seanet.hidden);
  const int levels = LevelsOf(fields, network, parts.rate, parts.stride, entries);
  if (dim != seanet.hidden) fields.Refuse("\"codebook_dim\" is not \"hidden_size\"");
  VQC_TRY(fields.Done());
  parts.network = fields.Read();
  parts.network["levels"] = levels;
  VQC_ASSIGN(parts.encoder, nn::LoadSeanetEncoder(weights, seanet));
  parts.decoder = std::make_shared<Lazy<nn::LayerPtr>>(
      [weights, seanet] { return nn::LoadSeanetDecoder(weights, seanet); });
  VQC_ASSIGN(auto part, ResidualPart::Load(weights, "quantizer", static_cast<size_t>(levels),
                                           static_cast<size_t>(entries), static_cast<size_t>(dim)));
  std::vector<ResidualPart> all;
  all.push_back(std::move(part));
  parts.codes = MakeResidualCodes(std::move(all));
  return parts;
}

}  // namespace vqc
