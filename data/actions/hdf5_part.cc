// SPDX-License-Identifier: Apache-2.0
// Actions from HDF5 files, with the library of The HDF Group.
#include <hdf5.h>

#include <cstring>
#include <mutex>

#include "base/beyond_limit.h"
#include "base/npy.h"
#include "base/printable.h"
#include "data/actions/arrays.h"

namespace vqc {
namespace {

std::mutex mutex;  // the library is not built for threads everywhere

class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }
  bool ok() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// From 1.12 on H5O_info_t may be one of two types; which one, `Ovisit` decides.
template <class Info>
herr_t See(hid_t, const char* name, const Info* info, void* data) {
  const char* slash = std::strrchr(name, '/');
  const std::string last = slash ? slash + 1 : name;
  if (info->type == H5O_TYPE_DATASET && (last == "action" || last == "actions"))
    static_cast<std::vector<std::string>*>(data)->emplace_back(name);
  return 0;
}

Status ReadDataset(hid_t file, const std::string& path, const std::string& name, const Limits& limits,
                   std::vector<Episode>& episodes) {
  const Handle set(H5Dopen2(file, name.c_str(), H5P_DEFAULT), &H5Dclose);
  const Handle space(set.ok() ? H5Dget_space(set) : -1, &H5Sclose);
  const Handle type(set.ok() ? H5Dget_type(set) : -1, &H5Tclose);
  if (!space.ok() || !type.ok()) return BadArray(path, name, "cannot be opened; the file is damaged");
  const int rank = H5Sget_simple_extent_ndims(space);
  if (H5Tget_class(type) != H5T_FLOAT || rank < 1 || rank > 3)
    return BadArray(path, name, "is no array of floats [steps, dimensions]");
  std::vector<hsize_t> sizes(static_cast<size_t>(rank));
  H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  const std::vector<uint64_t> shape(sizes.begin(), sizes.end());
  uint64_t count = 1;
  for (const uint64_t size : shape) {
    if (size != 0 && count > limits.max_input_bytes / sizeof(float) / size)
      return BeyondLimit(Printable(path) + ": array " + name + " has the shape " + ShapeText(shape),
                         "max_input_bytes", limits.max_input_bytes);
    count *= size;
  }
  std::vector<float> values(count);
  if (count > 0 && H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    return BadArray(path, name, "cannot be read; the file is damaged or needs a filter that is not there");
  return AddArray(path, name, shape, sizeof(float),
                  {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)}, episodes);
}

Status Read(const std::string& path, const Limits& limits, std::vector<Episode>& episodes) {
  const std::lock_guard lock(mutex);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), &H5Fclose);
  if (!file.ok())
    return Error{ErrorCode::kInput, Printable(path) + ": cannot be opened as HDF5; it is damaged"};
  std::vector<std::string> names;
#if H5_VERSION_GE(1, 12, 0)
  H5Ovisit3(file, H5_INDEX_NAME, H5_ITER_INC, &See<H5O_info2_t>, &names, H5O_INFO_BASIC);
#else
  H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, &See<H5O_info_t>, &names);
#endif
  for (const std::string& name : names)
    AddFault(ReadDataset(file, path, name, limits, episodes), name, episodes);
  if (names.empty())
    return Error{ErrorCode::kInput, Printable(path) + ": has no dataset called action or actions"};
  return {};
}

constexpr Hdf5Part kPart = {&Read};

}  // namespace

extern "C" const Hdf5Part* vqc_hdf5_part() { return &kPart; }

}  // namespace vqc
