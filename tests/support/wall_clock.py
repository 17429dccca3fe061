# SPDX-License-Identifier: Apache-2.0
"""A wall clock for a program under test that can be set forward and back, without touching the machine's."""

import mmap
import os
import struct
import subprocess

# Sets the wall clock of the process that it is loaded into forward or back; the file says by how many seconds.
STEPPER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
static volatile long long none, *step = &none;
int clock_gettime(clockid_t clock, struct timespec* to) {
  static int (*real)(clockid_t, struct timespec*);
  if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, to);
  if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) to->tv_sec += *step;
  return result;
}
int gettimeofday(struct timeval* to, void* zone) {
  struct timespec now;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  to->tv_sec = now.tv_sec;
  to->tv_usec = now.tv_nsec / 1000;
  return 0;
}
time_t time(time_t* to) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (to) *to = now.tv_sec;
  return now.tv_sec;
}
__attribute__((constructor)) static void start(void) {
  unsetenv("LD_PRELOAD");
  int file = open(getenv("CLOCK_STEP"), O_RDONLY);
  void* shared = mmap(0, sizeof *step, PROT_READ, MAP_SHARED, file, 0);
  if (shared != MAP_FAILED) step = shared;
}
"""


class WallClock:
    """The wall clock of a program that is started with .environment."""

    def __init__(self, directory):
        source, library, path = (os.path.join(directory, name) for name in ("stepper.c", "stepper.so", "step"))
        with open(source, "w") as file:
            file.write(STEPPER)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        with open(path, "wb") as file:
            file.write(bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.environment = {"LD_PRELOAD": library, "CLOCK_STEP": path}
        self.seconds = 0

    def step(self, seconds):
        self.seconds += seconds
        self.shared[:8] = struct.pack("q", self.seconds)
