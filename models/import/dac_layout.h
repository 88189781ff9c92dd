// SPDX-License-Identifier: Apache-2.0
// The network of DAC and SNAC with the names of their authors' programs, where layers have numbers for names.
#pragma once

#include <cstddef>
#include <string>

namespace vqc {

struct DacLayout {
  size_t downs = 0, ups = 0;  // blocks of the encoder, of the decoder
  bool snac = false;          // its decoder begins with two convolutions, its encoder ends without activation
  bool attention = false;     // beside the latents
  bool noise = false;         // in each block of the decoder

  // The checkpoint's name for a tensor of our network; those of other parts stay as they are.
  std::string NameOf(const std::string& name) const;
};

}  // namespace vqc
