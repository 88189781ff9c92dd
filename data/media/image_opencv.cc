// SPDX-License-Identifier: Apache-2.0
// libvqcodec_opencv.so: WebP, TIFF and BMP through OpenCV, whose image library pulls in some 140 others.
#include <opencv2/imgcodecs.hpp>

#include "data/media/image_part.h"
#include "data/media/opencv_quiet.h"
#include "data/media/samples.h"

namespace vqc {
namespace {

// What the decoder would act on and we do ourselves: it would turn the picture (but only for some depths),
// and multiply colours by an alpha that is not associated.
std::vector<uint8_t> NeutralTiff(std::span<const uint8_t> bytes, const ImageHeader& header) {
  constexpr uint16_t kUpright = 1, kAssociated = 1;
  std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  const auto put = [&](size_t at, uint16_t value) {
    if (at == 0) return;
    copy[at + (header.tiff_big_endian ? 1 : 0)] = static_cast<uint8_t>(value);
    copy[at + (header.tiff_big_endian ? 0 : 1)] = 0;
  };
  put(header.tiff_orientation_at, kUpright);
  if (header.channels == 4) put(header.tiff_extra_at, kAssociated);
  return copy;
}

// Divides the colours of one row by its alpha.
template <class T>
void Unassociate(std::vector<T>& row, uint32_t max) {
  for (size_t i = 0; i + 3 < row.size(); i += 4) {
    const uint64_t alpha = row[i + 3];
    if (alpha == 0) continue;
    for (size_t c = i; c < i + 3; ++c) {
      row[c] = static_cast<T>(std::min<uint64_t>((row[c] * uint64_t{max} + alpha / 2) / alpha, max));
    }
  }
}

// From OpenCV's order BGR(A) with `from` channels to the first `channels` of RGBA.
template <class T>
void PutRows(const cv::Mat& mat, const ImageHeader& header, int channels, Clip& clip) {
  constexpr uint32_t kMax = static_cast<T>(~T{0});
  constexpr int kOrder[] = {2, 1, 0, 3};
  const int from = mat.channels();
  RowSink sink(clip, mat.cols, mat.rows, channels, header.orientation);
  std::vector<T> row(static_cast<size_t>(mat.cols) * channels);
  for (int y = 0; y < mat.rows; ++y) {
    const T* in = mat.ptr<T>(y);
    for (int x = 0; x < mat.cols; ++x, in += from) {
      for (int c = 0; c < channels; ++c)
        row[static_cast<size_t>(x) * channels + c] = in[from == 1 ? 0 : kOrder[c]];
    }
    if (header.inverted) {
      for (T& value : row) value = static_cast<T>(kMax - value);
    }
    if (header.alpha_associated) Unassociate(row, kMax);
    sink.Put(y, row.data(), kMax);
  }
}

Result<Clip> Decode(std::span<const uint8_t> bytes, const ImageHeader& header, const std::string& name) {
  const OpenCvQuiet quiet;
  const auto failed = [&](const std::string& why) {
    return BadImage(name, "the picture is damaged or of a rare variant (" + why +
                              "); copy it again from its source, or convert it to PNG");
  };
  std::vector<uint8_t> copy;
  if (header.tiff_orientation_at || header.tiff_extra_at) {
    copy = NeutralTiff(bytes, header);
    bytes = copy;
  }
  if (bytes.size() > static_cast<size_t>(INT32_MAX)) return failed("more than 2 GiB");
  // imdecode only reads from the matrix that wraps the bytes.
  const cv::Mat wrapped(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<uint8_t*>(bytes.data()));
  const cv::Mat mat = cv::imdecode(wrapped, cv::IMREAD_UNCHANGED);
  const std::string tiff = quiet.TiffError();
  if (!tiff.empty()) return failed(tiff);
  if (mat.empty()) return failed("no picture came out");
  if (mat.cols != static_cast<int>(header.width) || mat.rows != static_cast<int>(header.height)) {
    return failed("another size came out");
  }
  const int found = mat.channels(), depth = mat.depth();
  const int channels = header.channels ? header.channels : found;
  const bool fits = found == channels || (found == 4 && channels == 3) || (found == 1 && channels == 3);
  if ((depth != CV_8U && depth != CV_16U) || !fits || channels == 2) {
    return failed(std::to_string(found) + " channels of type " + std::to_string(depth) + " came out");
  }
  Clip clip;
  clip.bit_depth = depth == CV_8U ? 8 : 16;
  if (depth == CV_8U) {
    PutRows<uint8_t>(mat, header, channels, clip);
  } else {
    PutRows<uint16_t>(mat, header, channels, clip);
  }
  return clip;
}

// In OpenCV's order; gray with alpha becomes BGRA.
template <class T>
cv::Mat ToMat(const Clip& clip, int type) {
  constexpr int kOrder[] = {2, 1, 0, 3};
  const int channels = clip.channels == 2 ? 4 : clip.channels;
  cv::Mat mat(clip.height, clip.width, CV_MAKETYPE(type, channels));
  std::vector<T> row(static_cast<size_t>(clip.width) * clip.channels);
  for (int y = 0; y < clip.height; ++y) {
    TakeRow(clip, y, SampleMax(clip), row.data());
    T* out = mat.ptr<T>(y);
    for (int x = 0; x < clip.width; ++x) {
      const T* in = row.data() + static_cast<size_t>(x) * clip.channels;
      for (int c = 0; c < channels; ++c) {
        *out++ = clip.channels == 1 ? in[0] : clip.channels == 2 ? in[c == 3] : in[kOrder[c]];
      }
    }
  }
  return mat;
}

Result<std::vector<uint8_t>> Encode(const Clip& clip, ImageKind kind) {
  const OpenCvQuiet quiet;
  const cv::Mat mat = clip.bit_depth > 8 ? ToMat<uint16_t>(clip, CV_16U) : ToMat<uint8_t>(clip, CV_8U);
  constexpr int kLossless = 101;  // OpenCV's spelling for WebP: any quality above 100
  const bool webp = kind == ImageKind::kWebp;
  std::vector<int> options;
  if (webp) options = {cv::IMWRITE_WEBP_QUALITY, kLossless};
  std::vector<uint8_t> out;
  if (!cv::imencode(webp ? ".webp" : kind == ImageKind::kTiff ? ".tiff" : ".bmp", mat, out, options)) {
    return Error{ErrorCode::kOutput, "OpenCV could not write the picture; use .png"};
  }
  return out;
}

Result<Clip> Read(std::span<const uint8_t> bytes, const ImageHeader& header, const std::string& name) {
  return GuardPart(name, [&] { return Decode(bytes, header, name); });
}

Result<std::vector<uint8_t>> Write(const Clip& clip, ImageKind kind) {
  return GuardPart("output", [&] { return Encode(clip, kind); });
}

}  // namespace
}  // namespace vqc

extern "C" const vqc::ImagePart* vqc_opencv_part() {
  static constexpr vqc::ImagePart kPart{&vqc::Read, &vqc::Write};
  return &kPart;
}
