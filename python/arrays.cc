// SPDX-License-Identifier: Apache-2.0
#include "python/arrays.h"

#include <algorithm>
#include <utility>

#include "data/media/samples.h"
#include "python/errors.h"

namespace vqc::python {
namespace {

namespace nb = nanobind;

constexpr size_t kLongest = INT32_MAX;  // of an axis

std::string Described(const Array& array) {
  const auto type = array.dtype();
  const char* kinds[] = {"int", "uint", "float", "handle", "bfloat", "complex", "bool"};
  std::string text = type.code < std::size(kinds) ? kinds[type.code] : "unknown";
  text += std::to_string(type.bits) + " [";
  for (size_t i = 0; i < array.ndim(); ++i) text += (i ? ", " : "") + std::to_string(array.shape(i));
  return text + "]";
}

[[noreturn]] void Refuse(const Array& array, const char* wanted) {
  throw Failure({ErrorCode::kUsage, "the array is " + Described(array) + "; " + wanted});
}

template <class T>
bool Is(const Array& array) {
  return array.dtype() == nb::dtype<T>();
}

// Values in row-major order of the axes given, each with its length and its stride in elements.
struct Axis {
  size_t length;
  int64_t stride;
};
template <class T, class Put>
void Walk(const Array& array, const std::vector<Axis>& axes, const Put& put) {
  const auto* const data = static_cast<const T*>(array.data());
  const auto inner = [&](auto&& self, size_t level, int64_t at) -> void {
    if (level == axes.size()) return put(data[at]);
    for (size_t i = 0; i < axes[level].length; ++i)
      self(self, level + 1, at + static_cast<int64_t>(i) * axes[level].stride);
  };
  inner(inner, 0, 0);
}

Axis AxisOf(const Array& array, size_t axis) { return {array.shape(axis), array.stride(axis)}; }

bool Sized(const Array& array) {
  for (size_t i = 0; i < array.ndim(); ++i) {
    if (array.shape(i) == 0 || array.shape(i) > kLongest) return false;
  }
  return true;
}

class ArrayReader : public AudioReader {
 public:
  ArrayReader(AudioInfo info, std::vector<float> interleaved)
      : info_(std::move(info)), samples_(std::move(interleaved)) {}
  const AudioInfo& Info() const override { return info_; }

 private:
  Result<size_t> DoRead(std::span<float> interleaved) override {
    const auto channels = static_cast<size_t>(info_.channels);
    const size_t count =
        std::min(interleaved.size() / channels, (samples_.size() - at_) / channels) * channels;
    std::copy_n(samples_.begin() + static_cast<ptrdiff_t>(at_), count, interleaved.begin());
    at_ += count;
    return count / channels;
  }

  AudioInfo info_;
  std::vector<float> samples_;
  size_t at_ = 0;
};

template <class T>
nb::object OwnArray(std::vector<T> values, const std::vector<size_t>& shape) {
  auto* const held = new std::vector<T>(std::move(values));
  const nb::capsule owner(held, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, T>(held->data(), shape.size(), shape.data(), owner));
}

template <class T>
nb::object Pixels(const Clip& clip) {
  const auto row = static_cast<size_t>(clip.width) * static_cast<size_t>(clip.channels);
  std::vector<T> values(row * static_cast<size_t>(clip.height));
  for (int y = 0; y < clip.height; ++y)
    TakeRow(clip, y, SampleMax(clip), values.data() + static_cast<size_t>(y) * row);
  std::vector<size_t> shape = {static_cast<size_t>(clip.height), static_cast<size_t>(clip.width)};
  if (clip.channels > 1) shape.push_back(static_cast<size_t>(clip.channels));
  return OwnArray(std::move(values), shape);
}

}  // namespace

Clip PictureOf(const Array& array) {
  constexpr auto kWanted =
      "a picture is uint8 or uint16 [row, column] or [row, column, channel], or float32 "
      "[row, column] or [channel, row, column] in [-1, 1], with 1 to 4 channels";
  const bool floats = Is<float>(array);
  if (!(floats || Is<uint8_t>(array) || Is<uint16_t>(array)) || !Sized(array)) Refuse(array, kWanted);
  if (array.ndim() != 2 && array.ndim() != 3) Refuse(array, kWanted);
  const size_t first = floats && array.ndim() == 3 ? 1 : 0;
  std::vector<Axis> axes = {AxisOf(array, first), AxisOf(array, first + 1)};
  axes.insert(axes.begin(), array.ndim() == 2 ? Axis{1, 0} : AxisOf(array, floats ? 0 : 2));
  if (axes[0].length > 4) Refuse(array, kWanted);
  Clip clip;
  clip.channels = static_cast<int>(axes[0].length);
  clip.height = static_cast<int>(axes[1].length);
  clip.width = static_cast<int>(axes[2].length);
  clip.bit_depth = Is<uint16_t>(array) ? 16 : 8;
  clip.data.reserve(clip.PlaneSize() * axes[0].length);
  if (floats)
    Walk<float>(array, axes, [&](float v) { clip.data.push_back(v); });
  else if (Is<uint8_t>(array))
    Walk<uint8_t>(array, axes, [&](uint8_t v) { clip.data.push_back(FromSample(v, 255)); });
  else
    Walk<uint16_t>(array, axes, [&](uint16_t v) { clip.data.push_back(FromSample(v, 65535)); });
  return clip;
}

std::unique_ptr<AudioReader> SoundOf(const Array& array, int rate) {
  constexpr auto kWanted = "sound is float32 in [-1, 1] or int16, [sample] or [channel, sample]";
  if (!(Is<float>(array) || Is<int16_t>(array)) || !Sized(array) || array.ndim() < 1 || array.ndim() > 2)
    Refuse(array, kWanted);
  const size_t last = array.ndim() - 1;
  const std::vector<Axis> axes = {AxisOf(array, last), last == 0 ? Axis{1, 0} : AxisOf(array, 0)};
  AudioInfo info{.format = "array", .rate = rate, .channels = static_cast<int>(axes[1].length)};
  info.frames = axes[0].length;
  std::vector<float> samples;
  samples.reserve(axes[0].length * axes[1].length);
  if (Is<float>(array))
    Walk<float>(array, axes, [&](float v) { samples.push_back(v); });
  else
    Walk<int16_t>(array, axes, [&](int16_t v) { samples.push_back(static_cast<float>(v) / 32768.0f); });
  return std::make_unique<ArrayReader>(std::move(info), std::move(samples));
}

Clip ActionsOf(const Array& array, int source) {
  if (!(Is<float>(array) || Is<double>(array)) || !Sized(array) || array.ndim() != 2)
    Refuse(array, "actions are float32 or float64 [step, dimension]");
  Clip clip;
  clip.modality = Modality::kAction;
  clip.frames = static_cast<int>(array.shape(0));
  clip.channels = static_cast<int>(array.shape(1));
  clip.source = source;
  const std::vector<Axis> axes = {AxisOf(array, 0), AxisOf(array, 1)};
  if (Is<float>(array))
    Walk<float>(array, axes, [&](float v) { clip.data.push_back(v); });
  else
    Walk<double>(array, axes, [&](double v) { clip.data.push_back(static_cast<float>(v)); });
  return clip;
}

nb::object Own(std::vector<int32_t> values, const std::vector<size_t>& shape) {
  return OwnArray(std::move(values), shape);
}
nb::object Own(std::vector<float> values, const std::vector<size_t>& shape) {
  return OwnArray(std::move(values), shape);
}

nb::object ArrayOf(Clip clip, bool floats) {
  const auto frames = static_cast<size_t>(clip.frames), channels = static_cast<size_t>(clip.channels);
  if (clip.modality == Modality::kAction) return OwnArray(std::move(clip.data), {frames, channels});
  if (clip.modality == Modality::kAudio) {
    std::vector<float> planes(frames * channels);
    for (size_t i = 0; i < frames; ++i) {
      for (size_t c = 0; c < channels; ++c) planes[c * frames + i] = clip.data[i * channels + c];
    }
    return OwnArray(std::move(planes), {channels, frames});
  }
  if (!floats) return clip.bit_depth > 8 ? Pixels<uint16_t>(clip) : Pixels<uint8_t>(clip);
  const std::vector<size_t> shape = {channels, static_cast<size_t>(clip.height),
                                     static_cast<size_t>(clip.width)};
  return OwnArray(std::move(clip.data), shape);
}

}  // namespace vqc::python
