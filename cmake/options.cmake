# SPDX-License-Identifier: Apache-2.0
# vqc_options: include root, warnings and sanitizers of every target of ours. vqc_torch_options adds libtorch.
find_package(Threads REQUIRED)

add_library(vqc_options INTERFACE)
target_include_directories(vqc_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(vqc_options INTERFACE -Wall -Wextra -Wshadow -Wno-unused-parameter)
option(VQCODEC_WERROR "Warnings are errors" OFF)
if(VQCODEC_WERROR)
  target_compile_options(vqc_options INTERFACE -Werror)
endif()
set(VQCODEC_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined")
set(vqc_sanitize_flags "")
if(VQCODEC_SANITIZE)
  set(vqc_sanitize_flags -fsanitize=${VQCODEC_SANITIZE})
  add_compile_options(${vqc_sanitize_flags} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(${vqc_sanitize_flags})
endif()
option(VQCODEC_FUZZ "Build the fuzz targets (tests/fuzz) as libFuzzer programs; clang" OFF)
if(VQCODEC_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(VQCODEC_CCACHE ccache)
if(VQCODEC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache asks for where precompiled headers are used.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${VQCODEC_CCACHE})
endif()

include(cmake/cuda.cmake)
if(VQCODEC_TORCH)
  include(cmake/torch.cmake)
endif()
