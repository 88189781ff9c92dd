# SPDX-License-Identifier: Apache-2.0
# vqc_options: include root, warnings and sanitizers of every target of ours. vqc_torch_options adds libtorch.
find_package(Threads REQUIRED)

add_library(vqc_options INTERFACE)
target_include_directories(vqc_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(vqc_options INTERFACE -Wall -Wextra -Wshadow -Wno-unused-parameter)
set(VQCODEC_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined")
if(VQCODEC_SANITIZE)
  add_compile_options(-fsanitize=${VQCODEC_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${VQCODEC_SANITIZE})
endif()

find_program(VQCODEC_CCACHE ccache)
if(VQCODEC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${VQCODEC_CCACHE})
endif()

if(VQCODEC_TORCH)
  include(cmake/torch.cmake)
endif()
