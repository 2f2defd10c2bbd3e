"""Conan 2: packs the tarball for C and C++ that `make dist` makes, for use until the recipe is in a registry.

    conan create packaging/conan --version 0.1.0 -o "&:archive=$PWD/dist/polyproc-0.1.0-linux-x64.tar.gz"
"""

import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, unzip


class Polyproc(ConanFile):
    name = "polyproc"
    description = "Queues, locks and processes over shared memory, safe against kill -9"
    license = "MIT OR Apache-2.0"
    homepage = "https://polyproc.dev"
    package_type = "library"
    settings = "os", "arch"
    options = {"shared": [True, False], "archive": ["ANY"]}
    default_options = {"shared": False, "archive": ""}

    def validate(self):
        if self.settings.os != "Linux" or self.settings.arch not in ("x86_64", "armv8"):
            raise ConanInvalidConfiguration("polyproc needs Linux on x86-64 or aarch64")

    def package_id(self):
        # Where the archive lies does not change what is in the package.
        del self.info.options.archive

    def build(self):
        unzip(self, str(self.options.archive), destination=self.build_folder, strip_root=True)

    def package(self):
        copy(self, "*", self.build_folder, self.package_folder, excludes="lib/*")
        copy(self, "lib/*.so*" if self.options.shared else "lib/*.a", self.build_folder, self.package_folder)
        copy(self, "LICENSE-*", os.path.join(self.build_folder, "share/doc/polyproc"), os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        self.cpp_info.libs = ["polyproc"]
        self.cpp_info.set_property("cmake_target_name", "polyproc::polyproc")
        self.cpp_info.set_property("pkg_config_name", "polyproc")
        if not self.options.shared:
            self.cpp_info.system_libs = ["pthread", "dl", "m"]
