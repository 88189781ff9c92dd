// SPDX-License-Identifier: Apache-2.0
// A library to be preloaded that lets the n-th system call on files of one folder fail, or kills the process
// before it.
//
//   VQC_FAULT_FOLDER  only calls on this folder and what is in it count
//   VQC_FAULT_AT      n, from 1; 0: none
//   VQC_FAULT         "kill", "short" (writes half of the bytes), or the number of an error
//   VQC_FAULT_COUNT   a file that gets the number of calls at the end, as text
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace {

std::atomic<long> calls{0};

const char* Setting(const char* name) {
  const char* value = getenv(name);
  return value ? value : "";
}

bool IsOurs(const char* path) {
  const char* folder = Setting("VQC_FAULT_FOLDER");
  const size_t length = strlen(folder);
  return length > 0 && path && strncmp(path, folder, length) == 0 &&
         (path[length] == 0 || path[length] == '/');
}

bool IsOurs(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return false;
  path[size] = 0;
  return IsOurs(path);
}

bool IsOurs(int folder, const char* path) { return path && path[0] == '/' ? IsOurs(path) : IsOurs(folder); }

enum class Fate { kPass, kShort, kFail };

// What becomes of a call on one of our files; sets errno for kFail.
Fate Next() {
  if (++calls != atol(Setting("VQC_FAULT_AT"))) return Fate::kPass;
  const char* fault = Setting("VQC_FAULT");
  if (strcmp(fault, "kill") == 0) kill(getpid(), SIGKILL);
  if (strcmp(fault, "short") == 0) return Fate::kShort;
  errno = atoi(fault);
  return Fate::kFail;
}

template <class F>
F Real(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

struct Report {
  ~Report() {
    const char* path = Setting("VQC_FAULT_COUNT");
    if (!*path) return;
    if (FILE* file = fopen(path, "w")) {
      fprintf(file, "%ld\n", calls.load());
      fclose(file);
    }
  }
} report;

}  // namespace

// A call that fails like any other, or goes through.
#define VQC_FAULT_CALL(result, name, ours, parameters, arguments)        \
  extern "C" result name parameters {                                    \
    static const auto real = Real<result(*) parameters>(#name);          \
    if ((ours) && Next() == Fate::kFail) return static_cast<result>(-1); \
    return real arguments;                                               \
  }

VQC_FAULT_CALL(int, fsync, IsOurs(fd), (int fd), (fd))
VQC_FAULT_CALL(int, fchmod, IsOurs(fd), (int fd, mode_t mode), (fd, mode))
VQC_FAULT_CALL(int, ftruncate, IsOurs(fd), (int fd, off_t size), (fd, size))
VQC_FAULT_CALL(int, renameat, IsOurs(from, a), (int from, const char* a, int to, const char* b),
               (from, a, to, b))
VQC_FAULT_CALL(int, renameat2, IsOurs(from, a),
               (int from, const char* a, int to, const char* b, unsigned flags), (from, a, to, b, flags))
VQC_FAULT_CALL(int, unlink, IsOurs(path), (const char* path), (path))
VQC_FAULT_CALL(int, unlinkat, IsOurs(folder, path), (int folder, const char* path, int flags),
               (folder, path, flags))
VQC_FAULT_CALL(int, mkdir, IsOurs(path), (const char* path, mode_t mode), (path, mode))

extern "C" ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t)>("write");
  switch (IsOurs(fd) ? Next() : Fate::kPass) {
    case Fate::kFail:
      return -1;
    case Fate::kShort:
      return real(fd, bytes, size > 1 ? size / 2 : size);
    case Fate::kPass:
      break;
  }
  return real(fd, bytes, size);
}

// A failed close has closed the file, as on Linux.
extern "C" int close(int fd) {
  static const auto real = Real<int (*)(int)>("close");
  const bool fails = IsOurs(fd) && Next() == Fate::kFail;
  const int error = errno, result = real(fd);
  if (!fails) return result;
  errno = error;
  return -1;
}

extern "C" int open(const char* path, int flags, ...) {
  static const auto real = Real<int (*)(const char*, int, ...)>("open");
  va_list list;
  va_start(list, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
  va_end(list);
  if (IsOurs(path) && Next() == Fate::kFail) return -1;
  return real(path, flags, mode);
}

extern "C" int openat(int folder, const char* path, int flags, ...) {
  static const auto real = Real<int (*)(int, const char*, int, ...)>("openat");
  va_list list;
  va_start(list, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
  va_end(list);
  if (IsOurs(folder, path) && Next() == Fate::kFail) return -1;
  return real(folder, path, flags, mode);
}
