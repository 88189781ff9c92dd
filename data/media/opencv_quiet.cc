// SPDX-License-Identifier: Apache-2.0
#include "data/media/opencv_quiet.h"

#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>
#include <iostream>
#include <opencv2/core/utility.hpp>
#include <streambuf>

namespace vqc {
namespace {

thread_local bool quiet = false;
thread_local char tiff_error[160] = "";

// Passes on to what std::cerr had before, unless the writing thread is quiet. Other threads are not
// disturbed.
class Gate : public std::streambuf {
 public:
  explicit Gate(std::streambuf* to) : to_(to) {}

 protected:
  int_type overflow(int_type c) override {
    return quiet || traits_type::eq_int_type(c, traits_type::eof())
               ? traits_type::not_eof(c)
               : to_->sputc(traits_type::to_char_type(c));
  }
  std::streamsize xsputn(const char* text, std::streamsize count) override {
    return quiet ? count : to_->sputn(text, count);
  }
  int sync() override { return quiet ? 0 : to_->pubsync(); }

 private:
  std::streambuf* to_;
};

void OnTiffError(void*, const char*, const char* format, va_list arguments) {
  if (quiet && !tiff_error[0]) std::vsnprintf(tiff_error, sizeof tiff_error, format, arguments);
}

int OnCvError(int, const char*, const char*, const char*, int, void*) { return 0; }

void Install() {
  // Never freed: std::cerr may be used until the very end of the process.
  std::cerr.rdbuf(new Gate(std::cerr.rdbuf()));
  cv::redirectError(&OnCvError);
  // This handler is called beside the one that OpenCV sets. Found by name, because libtiff's header need not
  // be installed; an OpenCV with a libtiff of its own inside hides it, and then damaged strips go unnoticed.
  using Handler = void (*)(void*, const char*, const char*, va_list);
  using Setter = Handler (*)(Handler);
  if (auto set = reinterpret_cast<Setter>(dlsym(RTLD_DEFAULT, "TIFFSetErrorHandlerExt"))) set(&OnTiffError);
}

}  // namespace

OpenCvQuiet::OpenCvQuiet() {
  static const bool installed = (Install(), true);
  quiet = installed;
  tiff_error[0] = '\0';
}

OpenCvQuiet::~OpenCvQuiet() { quiet = false; }

std::string OpenCvQuiet::TiffError() const { return tiff_error; }

}  // namespace vqc
