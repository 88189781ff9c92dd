// SPDX-License-Identifier: Apache-2.0
#include "models/import/families.h"

#include "base/printable.h"

namespace vqc {

std::span<const Family> Families() {
  // SNAC before DAC and VQGAN last, since others have some of their tensors.
  static const Family kFamilies[] = {kEncodecFamily, kSnacFamily,         kDacFamily,     kMimiFamily,
                                     kVqModelFamily, kLlamaGenFamily,     kMagvit2Family, kIbqFamily,
                                     kCosmosFamily,  kWavTokenizerFamily, kTamingFamily};
  return kFamilies;
}

Result<const Family*> FamilyOf(const HubModel& model) {
  std::string known;
  for (const Family& family : Families()) {
    if (family.matches(model)) return &family;
    known += (known.empty() ? "" : ", ") + std::string(family.name);
  }
  std::string says;
  for (const char* field : {"model_type", "_class_name"}) {
    if (const std::string value = model.Field(field); !value.empty())
      says +=
          std::string(says.empty() ? " (its config.json says " : ", ") + field + " " + Printable(value, 64);
  }
  if (says.empty())
    says = model.config().empty() ? " (it has no config.json" : " (its config.json has no model_type";
  return Error{ErrorCode::kModel, Printable(model.path()) + ": not a checkpoint of a known family" + says +
                                      "); known are " + known};
}

}  // namespace vqc
