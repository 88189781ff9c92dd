// SPDX-License-Identifier: Apache-2.0
// BD-rate and BD-quality of two curves in every metric, as records.
#pragma once

#include <vector>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/figures.h"
#include "base/clip.h"

namespace vqc {

// A record for each metric: {metric, pictures | sounds, bd_rate, bd_quality}, of which the
// latter are {value, low, high, draws, failed, error}; or {metric, error} where the curves share no items.
// Both are records of eval, of any number of settings.
Json CurveDeltas(const std::vector<Json>& reference, const std::vector<Json>& test, Modality modality,
                 const std::vector<MetricInfo>& metrics);

// Those that were measured with this codec.
std::vector<Json> RecordsOfCodec(const std::vector<Json>& records, const std::string& codec);

// kAudio where the records are of sound.
Modality ModalityOf(const std::vector<Json>& records);

}  // namespace vqc
