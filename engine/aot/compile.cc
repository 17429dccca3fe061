// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/compile.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/aot/shim.h"

extern char** environ;

namespace inlay::engine::aot {
namespace {

namespace fs = std::filesystem;

// -fno-optimize-sibling-calls: endless recursion stays recursion, and is found. -fstack-clash-protection: no frame
// steps over the guard page. -Werror: where wasm2c and our
// header disagree, the compiler must refuse. The floating-point flags are what WebAssembly's arithmetic needs of a C
// compiler.
const char* const kFlags[] = {"-std=gnu11",
                              "-Werror=implicit-function-declaration",
                              "-Werror=int-conversion",
                              "-Werror=incompatible-pointer-types",
                              "-shared",
                              "-fPIC",
                              "-fno-plt",
                              "-fvisibility=hidden",
                              "-fno-strict-aliasing",
                              "-fno-optimize-sibling-calls",
                              "-fstack-clash-protection",
                              "-frounding-math",
                              "-fsignaling-nans",
                              "-ffp-contract=off",
                              "-DNDEBUG"};

std::string search_path(std::string_view name) {
  if (name.find('/') != std::string_view::npos) return std::string(name);
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (true) {
    const size_t colon = rest.find(':');
    const std::string candidate = std::string(rest.substr(0, colon)) + "/" + std::string(name);
    if (candidate.front() == '/' && access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string_view::npos) return {};
    rest.remove_prefix(colon + 1);
  }
}

// TemporaryDirectory is removed with what is in it.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& parent) : path_(parent + "/tmp-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

bool write_file(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  return out.good();
}

// The end of a compiler's complaint, which may be long.
std::string read_complaint(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(2000, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Result<> run(std::vector<std::string> arguments, const std::string& log) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  // The child has no signal blocked, whatever our thread has.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return Error{ErrorCode::kUnavailable, std::string("cannot run the C compiler: ") + std::strerror(failed), argv[0]};
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno == EINTR) continue;
    return Error{ErrorCode::kUnavailable, std::string("lost the C compiler: ") + std::strerror(errno), argv[0]};
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Error{ErrorCode::kUnavailable, "the C compiler failed: " + read_complaint(log), argv[0]};
  }
  return {};
}

}  // namespace

Result<Compiler> find_compiler(const LoadOptions& options) {
  const char* variable = std::getenv("INLAY_CC");
  std::vector<std::string> names = {"cc", "gcc", "clang"};
  if (!options.compiler.empty()) {
    names = {options.compiler};
  } else if (variable != nullptr && *variable != '\0') {
    names = {variable};
  }
  for (const std::string& name : names) {
    Compiler compiler;
    compiler.path = search_path(name);
    char resolved[PATH_MAX];
    struct stat status = {};
    if (compiler.path.empty() || realpath(compiler.path.c_str(), resolved) == nullptr || stat(resolved, &status) != 0 ||
        !S_ISREG(status.st_mode) || access(resolved, X_OK) != 0) {
      continue;
    }
    // What a package upgrade changes. Asking the compiler for its version would cost more than loading an artifact.
    compiler.identity = compiler.path + "\n" + resolved + "\n" + std::to_string(status.st_size) + "\n" +
                        std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
    compiler.flags.assign(std::begin(kFlags), std::end(kFlags));
    compiler.flags.push_back("-O" + std::to_string(std::clamp(options.optimization, 0, 3)));
    return compiler;
  }
  std::string tried;
  for (const std::string& name : names) tried += (tried.empty() ? "" : ", ") + name;
  return Error{ErrorCode::kUnavailable, "no C compiler was found (looked for " + tried + ")", {}};
}

Result<> compile(const Compiler& compiler, const GeneratedC& c, std::string_view shim, const std::string& directory,
                 const std::string& output) {
  const TemporaryDirectory temporary(directory);
  if (temporary.path().empty()) {
    return Error{ErrorCode::kIo, std::string("cannot make a directory: ") + std::strerror(errno), directory};
  }
  const std::string& in = temporary.path();
  if (!write_file(in + "/wasm-rt.h", runtime_header()) || !write_file(in + "/guest.h", c.header) ||
      !write_file(in + "/guest.c", c.source) || !write_file(in + "/shim.c", shim)) {
    return Error{ErrorCode::kIo, "cannot write the translated module: is the disk full?", in};
  }
  std::vector<std::string> arguments = {compiler.path};
  arguments.insert(arguments.end(), compiler.flags.begin(), compiler.flags.end());
  arguments.insert(arguments.end(), {"-I" + in, in + "/shim.c", "-o", output, "-lm"});
  return run(std::move(arguments), in + "/log");
}

}  // namespace inlay::engine::aot
