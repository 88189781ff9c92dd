// SPDX-License-Identifier: Apache-2.0
#include "base/temporaries.h"

#include <errno.h>
#include <unistd.h>

#include <atomic>

#include "base/file.h"

namespace vqc {

// Slots are reused and never freed, so that a handler may walk the list at any moment. A slot that is not
// live is not looked into.
struct TemporarySlot {
  enum State : int { kFree, kTaken, kLive };
  std::atomic<int> state{kTaken};
  int folder_fd = -1;
  char name[256] = {};
  TemporarySlot* next = nullptr;
};

namespace {
std::atomic<TemporarySlot*> first_slot{nullptr};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<TemporarySlot*>::is_always_lock_free,
              "a signal handler reads these");

TemporarySlot* TakeSlot() {
  for (TemporarySlot* slot = first_slot.load(); slot; slot = slot->next) {
    int expected = TemporarySlot::kFree;
    if (slot->state.compare_exchange_strong(expected, TemporarySlot::kTaken)) return slot;
  }
  auto* slot = new TemporarySlot;  // kept for ever
  slot->next = first_slot.load();
  while (!first_slot.compare_exchange_weak(slot->next, slot)) {
  }
  return slot;
}
}  // namespace

TemporarySlot* AddTemporary(int folder_fd, const std::string& name) {
  TemporarySlot* slot = TakeSlot();
  slot->folder_fd = folder_fd;
  const size_t length = name.copy(slot->name, sizeof slot->name - 1);
  slot->name[length] = '\0';
  slot->state.store(TemporarySlot::kLive);
  return slot;
}

void ForgetTemporary(TemporarySlot* slot) noexcept {
  if (slot) slot->state.store(TemporarySlot::kFree);
}

void RemoveTemporaryFiles() noexcept {
  const int saved = errno;
  for (TemporarySlot* slot = first_slot.load(); slot; slot = slot->next) {
    if (slot->state.load() == TemporarySlot::kLive) unlinkat(slot->folder_fd, slot->name, 0);
  }
  errno = saved;
}

}  // namespace vqc
