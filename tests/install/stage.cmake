# SPDX-License-Identifier: Apache-2.0
# cmake -DBUILD=<build folder> -DSTAGE=<prefix> -P stage.cmake: installs afresh, so that nothing old is found.
file(REMOVE_RECURSE ${STAGE})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${STAGE} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "the install failed: ${failed}")
endif()
