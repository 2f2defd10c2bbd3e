# An overlay port: packs the tarball for C and C++ that `make dist` makes.
#
#     POLYPROC_DIST=$PWD/dist vcpkg install polyproc --overlay-ports=packaging/vcpkg
if(NOT DEFINED ENV{POLYPROC_DIST})
    message(FATAL_ERROR "set POLYPROC_DIST to the folder of the packages, dist/ after `make dist`")
endif()
vcpkg_extract_source_archive(source
    ARCHIVE "$ENV{POLYPROC_DIST}/polyproc-${VERSION}-linux-${VCPKG_TARGET_ARCHITECTURE}.tar.gz")

file(INSTALL "${source}/include" DESTINATION "${CURRENT_PACKAGES_DIR}")
foreach(folder IN ITEMS "${CURRENT_PACKAGES_DIR}/lib" "${CURRENT_PACKAGES_DIR}/debug/lib")
    if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
        file(INSTALL "${source}/lib/libpolyproc.a" DESTINATION "${folder}")
    else()
        file(GLOB libraries "${source}/lib/libpolyproc.so*")
        file(INSTALL ${libraries} DESTINATION "${folder}")
    endif()
    file(INSTALL "${source}/lib/pkgconfig" DESTINATION "${folder}")
endforeach()
vcpkg_fixup_pkgconfig()

file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${source}/share/doc/polyproc/LICENSE-MIT"
    "${source}/share/doc/polyproc/LICENSE-APACHE" "${source}/share/doc/polyproc/THIRD-PARTY.txt")
