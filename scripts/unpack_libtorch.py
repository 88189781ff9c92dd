# SPDX-License-Identifier: Apache-2.0
"""unpack_libtorch.py FOLDER WHEEL...: the parts of the wheels that the build and the program need.

FOLDER then holds torch/{include,lib} and nvidia/cu13/lib, where libtorch_cpu.so looks for the CUDA runtime, and
a file `complete`. It appears by one rename, so that it is there whole or not at all.
"""
import os
import re
import shutil
import sys
import time
import zipfile

WANTED = re.compile(r"torch/include/.*|torch/lib/[^/]*\.so[^/]*|nvidia/cu13/lib/lib(cudart|cupti)\.so[^/]*"
                    r"|[^/]*\.dist-info/(licenses/.*|LICENSE|NOTICE)")
# Python, CUDA kernels, and what links them.
UNWANTED = re.compile(r"torch/lib/lib(torch|torch_cuda.*|torch_nvshmem|torch_python|torch_global_deps|shm|c10_cuda"
                      r"|caffe2_nvrtc)\.so")


def unpack(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            if not WANTED.fullmatch(entry.filename) or UNWANTED.fullmatch(entry.filename):
                continue
            path = archive.extract(entry, folder)
            # The date in the archive, so that unpacking again does not make builds look out of date.
            date = time.mktime(entry.date_time + (0, 0, -1))
            os.utime(path, (date, date))


def main(folder, *wheels):
    part = folder + ".part"
    shutil.rmtree(part, ignore_errors=True)
    for wheel in wheels:
        unpack(wheel, part)
    with open(os.path.join(part, "complete"), "w", encoding="utf-8") as stamp:
        stamp.write("".join(os.path.basename(wheel) + "\n" for wheel in wheels))
    if os.path.exists(folder):
        os.rename(folder, folder + ".old")
    os.rename(part, folder)
    shutil.rmtree(folder + ".old", ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
