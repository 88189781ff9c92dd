// SPDX-License-Identifier: Apache-2.0
// libjpeg reports errors through a callback that may not return: ours is a longjmp. Functions that call
// setjmp therefore own nothing: what needs a destructor lives in Reader and Writer, whose owners called them.
#include "data/media/jpeg_file.h"

#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <cstdio>  // before jpeglib.h, which uses FILE
#include <cstdlib>

#include "data/media/samples.h"

namespace vqc {
namespace {

struct ErrorManager {
  jpeg_error_mgr base;  // first, so that libjpeg's pointer is one to us
  std::jmp_buf jump;
  char text[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void OnExit(j_common_ptr jpeg) {
  auto* manager = reinterpret_cast<ErrorManager*>(jpeg->err);
  jpeg->err->format_message(jpeg, manager->text);
  std::longjmp(manager->jump, 1);
}

// Warnings mean that samples were made up. Three do not: those of the file's labels, and surplus bytes that
// follow complete data.
void OnMessage(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  const int code = jpeg->err->msg_code;
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM) return;
  OnExit(jpeg);
}

void Nothing(j_common_ptr) {}

void InstallErrors(ErrorManager& manager) {
  jpeg_std_error(&manager.base);
  manager.base.error_exit = &OnExit;
  manager.base.emit_message = &OnMessage;
  manager.base.output_message = &Nothing;
}

struct Reader {
  jpeg_decompress_struct jpeg{};
  ErrorManager errors;
  std::vector<uint8_t> row;

  Reader() { jpeg.err = &errors.base; }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { jpeg_destroy_decompress(&jpeg); }
};

struct Writer {
  jpeg_compress_struct jpeg{};
  ErrorManager errors;
  unsigned char* out = nullptr;  // malloc, by libjpeg
  unsigned long size = 0;

  Writer() { jpeg.err = &errors.base; }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
    jpeg_destroy_compress(&jpeg);
    std::free(out);
  }
};

bool Start(Reader& r, std::span<const uint8_t> bytes) {
  if (setjmp(r.errors.jump)) return false;
  jpeg_create_decompress(&r.jpeg);
  jpeg_mem_src(&r.jpeg, bytes.data(), bytes.size());
  jpeg_read_header(&r.jpeg, TRUE);
  r.jpeg.out_color_space = r.jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&r.jpeg);
  return true;
}

bool ReadRow(Reader& r) {
  if (setjmp(r.errors.jump)) return false;
  JSAMPROW row = r.row.data();
  return jpeg_read_scanlines(&r.jpeg, &row, 1) == 1;
}

bool Finish(Reader& r) {
  if (setjmp(r.errors.jump)) return false;
  jpeg_finish_decompress(&r.jpeg);
  return true;
}

bool Start(Writer& w, int width, int height, int channels) {
  if (setjmp(w.errors.jump)) return false;
  jpeg_create_compress(&w.jpeg);
  jpeg_mem_dest(&w.jpeg, &w.out, &w.size);
  w.jpeg.image_width = static_cast<JDIMENSION>(width);
  w.jpeg.image_height = static_cast<JDIMENSION>(height);
  w.jpeg.input_components = channels;
  w.jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&w.jpeg);
  jpeg_set_quality(&w.jpeg, 95, TRUE);
  w.jpeg.comp_info[0].h_samp_factor = w.jpeg.comp_info[0].v_samp_factor = 1;
  w.jpeg.optimize_coding = TRUE;
  jpeg_start_compress(&w.jpeg, TRUE);
  return true;
}

bool WriteRow(Writer& w, uint8_t* samples) {
  if (setjmp(w.errors.jump)) return false;
  JSAMPROW row = samples;
  return jpeg_write_scanlines(&w.jpeg, &row, 1) == 1;
}

bool Finish(Writer& w) {
  if (setjmp(w.errors.jump)) return false;
  jpeg_finish_compress(&w.jpeg);
  return true;
}

}  // namespace

Result<Clip> DecodeJpeg(std::span<const uint8_t> bytes, const ImageHeader& header, const std::string& name) {
  Reader r;
  InstallErrors(r.errors);
  const auto failed = [&]() -> Error {
    if (r.errors.base.msg_code == JERR_OUT_OF_MEMORY) {
      return {ErrorCode::kResource, name + ": not enough memory for the picture; make it smaller"};
    }
    return BadImage(
        name, std::string("the JPEG file is damaged (") + r.errors.text + "); copy it again from its source");
  };
  if (!Start(r, bytes)) return failed();
  const int width = static_cast<int>(r.jpeg.output_width), height = static_cast<int>(r.jpeg.output_height);
  const int channels = r.jpeg.output_components;
  if (width != static_cast<int>(header.width) || height != static_cast<int>(header.height) ||
      channels != header.channels) {
    return failed();
  }
  r.row.resize(static_cast<size_t>(width) * channels);
  Clip clip;
  RowSink sink(clip, width, height, channels, header.orientation);
  for (int y = 0; y < height; ++y) {
    if (!ReadRow(r)) return failed();
    sink.Put(y, r.row.data(), 255);
  }
  if (!Finish(r)) return failed();
  return clip;
}

Result<std::vector<uint8_t>> EncodeJpeg(const Clip& clip) {
  Writer w;
  InstallErrors(w.errors);
  std::vector<uint8_t> row(static_cast<size_t>(clip.width) * clip.channels);
  const auto failed = [&] {
    w.out = nullptr;  // libjpeg has freed it where the file had grown already
    return Error{ErrorCode::kOutput, std::string("libjpeg could not write: ") + w.errors.text};
  };
  if (!Start(w, clip.width, clip.height, clip.channels)) return failed();
  for (int y = 0; y < clip.height; ++y) {
    TakeRow(clip, y, 255, row.data());
    if (!WriteRow(w, row.data())) return failed();
  }
  if (!Finish(w)) return failed();
  return std::vector<uint8_t>(w.out, w.out + w.size);
}

}  // namespace vqc
