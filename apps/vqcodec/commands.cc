// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/command.h"

namespace vqc {
namespace {

constexpr CommandRow kCommands[] = {
    {"encode", &AddEncode},
    {"decode", &AddDecode},
    {"stream", &AddStream},
    {"trim", &AddTrim},
    {"info", &AddInfo},
    {"list", &AddList},
    {"tokenize", &AddTokenize},
    {"detokenize", &AddDetokenize},
    {"inspect", &AddInspect},
    {"eval", &AddEval},
    {"compare", &AddCompare},
    {"train", &AddTrain},
    {"features", &AddFeatures},
    {"cluster", &AddCluster},
    {"convert", &AddConvert},
    {"doctor", &AddDoctor},
    {"completion", &AddCompletion},
};

}  // namespace

std::span<const CommandRow> Commands() { return kCommands; }

}  // namespace vqc
