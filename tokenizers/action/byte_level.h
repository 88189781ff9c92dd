// SPDX-License-Identifier: Apache-2.0
// How byte-level BPE (GPT-2, Radford et al. 2019) sees a string: cut into words, and bytes shown as
// characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vqc {

// Characters from here on are not told apart by kind: strings that have them cannot be cut into words.
inline constexpr char32_t kMaxSplitCharacter = 0x7FF;

// The words of `text`, which together are it, by GPT-2's pattern
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// REQUIRES: no character above kMaxSplitCharacter
std::vector<std::u32string_view> SplitWords(std::u32string_view text);

// UTF-8 bytes of `text`, each as the printable character that GPT-2 gives it.
std::u32string ToByteCharacters(std::u32string_view text);
// The mirror. What is not UTF-8, and a character that stands for no byte, becomes `instead`.
std::u32string FromByteCharacters(std::u32string_view characters, char32_t instead);

// Without checks of surrogates: FAST writes any number as a character.
std::string ToUtf8(std::u32string_view text);
// False where `bytes` is not UTF-8.
bool FromUtf8(std::string_view bytes, std::u32string& text);

}  // namespace vqc
