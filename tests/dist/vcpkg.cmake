# Carries out the portfile of packaging/vcpkg as vcpkg does, with its own variables, and with stand-ins for the functions
# that the portfile calls of it. `tests/dist/run vcpkg-port` runs it, and links a program with what it installs.
cmake_minimum_required(VERSION 3.19)

function(vcpkg_extract_source_archive result)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "ARCHIVE" "")
    file(REMOVE_RECURSE "${CURRENT_BUILDTREES_DIR}")
    file(ARCHIVE_EXTRACT INPUT "${arg_ARCHIVE}" DESTINATION "${CURRENT_BUILDTREES_DIR}")
    file(GLOB folders LIST_DIRECTORIES true "${CURRENT_BUILDTREES_DIR}/*")
    set(${result} "${folders}" PARENT_SCOPE)
endfunction()

function(vcpkg_fixup_pkgconfig)
    foreach(file IN ITEMS "lib/pkgconfig/polyproc.pc" "debug/lib/pkgconfig/polyproc.pc")
        if(NOT EXISTS "${CURRENT_PACKAGES_DIR}/${file}")
            message(FATAL_ERROR "there is no ${file}")
        endif()
    endforeach()
endfunction()

function(vcpkg_install_copyright)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
    foreach(file IN LISTS arg_FILE_LIST)
        file(INSTALL "${file}" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
    endforeach()
endfunction()

include("${CMAKE_CURRENT_LIST_DIR}/../../packaging/vcpkg/polyproc/portfile.cmake")
