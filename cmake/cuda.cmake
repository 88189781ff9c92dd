# SPDX-License-Identifier: Apache-2.0
# The compiler of the CUDA part. VQC_CUDA says whether the part is built.
set(VQC_CUDA OFF)
if(VQCODEC_CUDA)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    # Code for Ampere, which later processors without one of their own translate, and for Hopper.
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES "80;90a-real")
    endif()
    enable_language(CUDA)
    set(VQC_CUDA ON)
  elseif(VQCODEC_CUDA STREQUAL "AUTO")
    message(STATUS "nvcc was not found: search on GPUs is left out")
  else()
    message(FATAL_ERROR "VQCODEC_CUDA is ${VQCODEC_CUDA}, but nvcc was not found. Install the CUDA toolkit, name nvcc "
                        "in CMAKE_CUDA_COMPILER, or configure with -DVQCODEC_CUDA=OFF.")
  endif()
endif()
