// SPDX-License-Identifier: Apache-2.0
#include "base/populate.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace vqc {

void Populate(void* memory, size_t bytes) {
#if defined(MADV_POPULATE_WRITE) && defined(MADV_HUGEPAGE)
  constexpr size_t kWorthwhile = 1 << 20, kLarge = 4 << 20;
  if (bytes < kWorthwhile) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)), at = reinterpret_cast<uintptr_t>(memory),
             begin = (at + page - 1) / page * page, end = (at + bytes) / page * page;
  if (bytes >= kLarge) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE);
#else
  (void)memory, (void)bytes;
#endif
}

}  // namespace vqc
