#define _GNU_SOURCE /* getopt_long */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "headers.h"

static int usage(FILE *out) {
  fputs(
      "usage: headers --worker=FILE --reporter=FILE [options] [DIRECTORY]\n"
      "Counts the identifiers of the C headers below DIRECTORY (/usr/include).\n"
      "      --worker=FILE    the Go program\n"
      "      --reporter=FILE  the reporter's main.js\n"
      "  -w, --workers=N      how many workers (the number of CPUs, at least 2)\n"
      "  -k, --kill=N         kill N workers with SIGKILL while they work\n"
      "      --check=FILE     recount.mjs, to run afterwards\n"
      "      --html=FILE      the page to write (headers.html)\n"
      "      --json=FILE      the figures for the recount (headers.json)\n"
      "  -h, --help\n",
      out);
  return out == stderr ? EXIT_USAGE : EXIT_DONE;
}

static bool parse_count(const char *text, size_t least, size_t *out) {
  const size_t most = 1000;
  char *end;
  unsigned long value;

  errno = 0;
  value = strtoul(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || *text == '-' || value < least || value > most) {
    complain(0, "\"%s\" is not a number from %zu to %zu", text, least, most);
    return false;
  }
  *out = value;
  return true;
}

static bool can_read_directory(const char *path) {
  DIR *stream = opendir(path);

  if (stream == NULL)
    complain(0, "cannot read %s: %s", path, strerror(errno));
  else
    closedir(stream);
  return stream != NULL;
}

static bool take_option(settings *out, int option, const char *value) {
  switch (option) {
    case 'W':
      out->worker = value;
      return true;
    case 'R':
      out->reporter = value;
      return true;
    case 'C':
      out->check = value;
      return true;
    case 'H':
      out->html = value;
      return true;
    case 'J':
      out->json = value;
      return true;
    case 'w':
      return parse_count(value, 1, &out->workers);
    case 'k':
      return parse_count(value, 0, &out->kills);
    default:
      usage(stderr);
      return false;
  }
}

int arguments_parse(settings *out, int argc, char **argv) {
  static const struct option options[] = {
      {"worker", required_argument, NULL, 'W'},
      {"reporter", required_argument, NULL, 'R'},
      {"check", required_argument, NULL, 'C'},
      {"html", required_argument, NULL, 'H'},
      {"json", required_argument, NULL, 'J'},
      {"workers", required_argument, NULL, 'w'},
      {"kill", required_argument, NULL, 'k'},
      {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0},
  };
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  int option;

  memset(out, 0, sizeof *out);
  out->directory = "/usr/include";
  out->html = "headers.html";
  out->json = "headers.json";
  out->workers = cpus > 2 ? (size_t)cpus : 2;
  while ((option = getopt_long(argc, argv, "w:k:h", options, NULL)) != -1) {
    if (option == 'h') return usage(stdout);
    if (!take_option(out, option, optarg)) return EXIT_USAGE;
  }
  if (argc - optind > 1 || out->worker == NULL || out->reporter == NULL) return usage(stderr);
  if (optind < argc) out->directory = argv[optind];
  return can_read_directory(out->directory) ? -1 : EXIT_USAGE;
}
