# SPDX-License-Identifier: Apache-2.0
# vqc_torch: headers and the CPU libraries of libtorch. CUDA is not linked: libtorch_cuda.so is loaded at run
# time where it lies beside libtorch_cpu.so, so one build serves machines with and without a GPU.
#
# Looked for in VQCODEC_TORCH_DIR (a folder with include/ and lib/), then the folder that ./run fills, then
# CMAKE_PREFIX_PATH, then the torch of the python3 on the path.
set(VQCODEC_TORCH_DIR "" CACHE PATH "Folder of libtorch, with include/ and lib/")

function(vqc_find_torch result)
  set(cache $ENV{XDG_CACHE_HOME})
  if(NOT cache)
    set(cache $ENV{HOME}/.cache)
  endif()
  set(candidates ${VQCODEC_TORCH_DIR})
  if(EXISTS ${cache}/vqcodec/torch-2.11.0/complete)
    list(APPEND candidates ${cache}/vqcodec/torch-2.11.0/torch)
  endif()
  file(TO_CMAKE_PATH "$ENV{CMAKE_PREFIX_PATH}" prefixes)
  list(APPEND candidates ${CMAKE_PREFIX_PATH} ${prefixes})
  foreach(folder IN LISTS candidates)
    if(EXISTS ${folder}/lib/libtorch_cpu.so AND EXISTS ${folder}/include/torch)
      set(${result} ${folder} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  find_program(python NAMES python3)
  if(python)
    execute_process(COMMAND ${python} -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
                    OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed AND EXISTS ${folder}/lib/libtorch_cpu.so)
      set(${result} ${folder} PARENT_SCOPE)
    endif()
  endif()
endfunction()

vqc_find_torch(vqc_torch_folder)
if(NOT vqc_torch_folder)
  message(FATAL_ERROR "libtorch was not found. ./run fetches it; or set VQCODEC_TORCH_DIR to a folder with "
                      "include/ and lib/; or configure with -DVQCODEC_TORCH=OFF (no networks).")
endif()
message(STATUS "libtorch: ${vqc_torch_folder}")

add_library(vqc_torch INTERFACE)
target_include_directories(vqc_torch SYSTEM INTERFACE ${vqc_torch_folder}/include ${vqc_torch_folder}/include/torch/csrc/api/include)
target_link_directories(vqc_torch INTERFACE ${vqc_torch_folder}/lib)
target_link_libraries(vqc_torch INTERFACE ${vqc_torch_folder}/lib/libtorch_cpu.so ${vqc_torch_folder}/lib/libc10.so Threads::Threads)
# libtorch_cpu.so of the CUDA wheel needs libcudart and libcupti, which need not be where the linker looks.
target_link_options(vqc_torch INTERFACE -Wl,--unresolved-symbols=ignore-in-shared-libs -Wl,--allow-shlib-undefined)

# vqc_add_torch_sources(<file>...)
#
# Sources of vqcodec_torch, compiled eight at a time: even precompiled, libtorch's header leaves templates that
# each object makes anew, which takes longer than most of our files. The files of a batch share what stands in
# unnamed namespaces.
function(vqc_add_torch_sources)
  target_sources(vqcodec_torch PRIVATE ${ARGN})
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(count 0)
  foreach(source IN LISTS ARGN)
    math(EXPR batch "${count} / 8")
    math(EXPR count "${count} + 1")
    set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/${source} TARGET_DIRECTORY vqcodec_torch
                                PROPERTIES UNITY_GROUP ${folder}_${batch})
  endforeach()
endfunction()
