// A name for one test, which is unlinked at its end.
#ifndef NAMES_HPP
#define NAMES_HPP

#include <unistd.h>

#include <polyproc.hpp>
#include <string>

class test_name {
 public:
  explicit test_name(const char *what) : name_("cpp-test." + std::to_string(getpid()) + "." + what) {}
  ~test_name() {
    polyproc_unlink(name_.c_str());
  }
  operator const std::string &() const {
    return name_;
  }

 private:
  std::string name_;
};

#endif
