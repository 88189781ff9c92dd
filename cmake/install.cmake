# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the library, its parts, the program, the models, and the package that find_package(vqcodec)
# reads. Installed headers keep their folders under include/vqcodec, which is on the include path of
# vqcodec::vqcodec; what they include is installed with them (tests/install checks it).
include(CMakePackageConfigHelpers)

set(vqc_public_headers
  base/bytes.h base/clip.h base/crc32c.h base/file.h base/limits.h base/result.h base/safetensors.h base/safetensors_header.h base/sha256.h base/tensor_file.h base/tokens.h
  codec/audio.h codec/audio_grid.h codec/bundle.h codec/codec.h codec/payload.h codec/rate_control.h codec/container/live.h codec/container/stream.h
  data/media/media.h data/media/audio/audio.h
  entropy/digits.h entropy/frequency_table.h entropy/prior.h entropy/priors.h entropy/range_coder.h entropy/row_coder.h
  entropy/token_coder.h entropy/windows.h entropy/rans/band_table.h entropy/rans/symbols.h
  models/card.h models/decoder.h models/store.h
  quantizers/search/cluster_pass.h quantizers/search/codebook.h quantizers/search/isa.h quantizers/search/kmeans.h quantizers/search/metric.h
  quantizers/search/rows.h quantizers/search/search.h
  tokenizers/lanes.h tokenizers/network_options.h tokenizers/segment_plan.h tokenizers/session.h tokenizers/tokenizer.h)
foreach(header IN LISTS vqc_public_headers)
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vqcodec/${folder})
endforeach()

set_target_properties(vqcodec PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_compile_features(vqcodec INTERFACE cxx_std_20)
target_include_directories(vqcodec INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/vqcodec>)
install(TARGETS vqcodec EXPORT vqcodec LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

# The parts lie where LoadPart looks (base/dynamic_part.h). libtorch is not copied: the part finds it where it
# was at build time.
foreach(part IN ITEMS vqcodec_torch vqcodec_media vqcodec_opencv vqcodec_audio vqcodec_ffmpeg vqcodec_cuda vqcodec_graphs vqcodec_hdf5)
  if(TARGET ${part})
    set(rpath "$ORIGIN/..;${vqc_torch_folder}/lib")
    if(VQCODEC_PYTHON)  # in site-packages, where torch may be too
      list(INSERT rpath 1 "$ORIGIN/../../../torch/lib")
    endif()
    set_target_properties(${part} PROPERTIES INSTALL_RPATH "${rpath}")
    install(TARGETS ${part} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/vqcodec)
  endif()
endforeach()

if(TARGET vqcodec_app)
  file(RELATIVE_PATH to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(vqcodec_app PROPERTIES INSTALL_RPATH "$ORIGIN/${to_lib}")
  install(TARGETS vqcodec_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  foreach(shell_and_path IN ITEMS bash:bash-completion/completions/vqcodec zsh:zsh/site-functions/_vqcodec
                                  fish:fish/vendor_completions.d/vqcodec.fish)
    string(REPLACE ":" ";" pair ${shell_and_path})
    list(GET pair 0 shell)
    list(GET pair 1 path)
    install(CODE "
      execute_process(COMMAND \"$<TARGET_FILE:vqcodec_app>\" completion ${shell} OUTPUT_VARIABLE text RESULT_VARIABLE failed)
      if(failed)
        message(FATAL_ERROR \"vqcodec completion ${shell} failed: \${failed}\")
      endif()
      file(WRITE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/${path}\" \"\${text}\")")
  endforeach()
endif()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/pretrained/ DESTINATION ${CMAKE_INSTALL_DATADIR}/vqcodec/models
        OPTIONAL PATTERN .git* EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/vqcodec)
install(EXPORT vqcodec NAMESPACE vqcodec:: FILE vqcodecTargets.cmake DESTINATION ${package})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/vqcodecConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/vqcodecConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vqcodecConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vqcodecConfig.cmake ${PROJECT_BINARY_DIR}/vqcodecConfigVersion.cmake
        DESTINATION ${package})
