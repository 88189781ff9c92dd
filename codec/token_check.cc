// SPDX-License-Identifier: Apache-2.0
#include "codec/token_check.h"

#include "base/bytes.h"
#include "base/crc32c.h"

namespace vqc {

uint32_t TokenCrc(const Tokens& tokens) {
  ByteWriter bytes;
  for (const uint32_t id : tokens.ids) bytes.U32(id);
  return Crc32c(bytes.bytes());
}

Status CheckTokenCrc(const Tokens& tokens, const Chunk& chunk) {
  constexpr uint32_t kKeptBits = 0xFFFF;  // see stream.h
  if ((TokenCrc(tokens) & kKeptBits) == (chunk.token_crc & kKeptBits)) return {};
  return Error{ErrorCode::kCorruptData,
               "the tokens do not have the checksum that the stream states; it is damaged"};
}

}  // namespace vqc
