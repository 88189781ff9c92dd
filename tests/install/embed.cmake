# SPDX-License-Identifier: Apache-2.0
# cmake -DEMBED=<program> -DSTAGE=<prefix> -DWORK=<folder> -DWITH_NETWORK=<0|1> -P embed.cmake
#
# Runs the example on a small picture. Where the network cannot run (no libtorch in this build, or no model in
# the tree) it has to say what is missing and fail.
string(REPEAT "0@P`p0@P`p0@P`p0" 48 pixels)
file(WRITE ${WORK}/photo.ppm "P6\n16 16\n255\n${pixels}")
file(REMOVE ${WORK}/photo.vqc ${WORK}/restored.ppm)
foreach(name IN ITEMS VQCODEC_PARTS VQCODEC_MODELS)
  unset(ENV{${name}})
endforeach()
execute_process(COMMAND ${EMBED} ${WORK}/photo.ppm ${WORK}/photo.vqc ${WORK}/restored.ppm
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
message(STATUS "exit ${status}\n${output}${errors}")

if(WITH_NETWORK AND EXISTS ${STAGE}/share/vqcodec/models/image-f16/card.json)
  if(NOT status EQUAL 0 OR NOT output MATCHES "16 x 16, [0-9]+ bytes")
    message(FATAL_ERROR "the example failed")
  endif()
  file(SIZE ${WORK}/photo.vqc coded)
  file(SIZE ${WORK}/photo.ppm before)
  file(SIZE ${WORK}/restored.ppm after)
  if(NOT coded LESS 500 OR NOT before EQUAL after)
    message(FATAL_ERROR "a picture of ${before} bytes became a stream of ${coded} and came back as ${after}")
  endif()
elseif(NOT status EQUAL 1 OR NOT errors MATCHES "image-f16|vqcodec_torch")
  message(FATAL_ERROR "without a network the example has to say what is missing, and exit with 1")
endif()
