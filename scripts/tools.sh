# Sourced by the other scripts: checks for tools, and installs those that can be installed.

# say SENTENCE: tells what happens next.
say() { printf '\033[1m== %s\033[0m\n' "$*"; }

# fail SENTENCE: tells what to do, and ends.
fail() { printf '%s\n' "$*" >&2; exit 1; }

need_rust() {
  command -v cargo >/dev/null || fail "Rust is missing. Install 1.95 or newer as https://www.rust-lang.org/tools/install says, then run this again."
  local minor
  minor=$(rustc --version | sed -E 's/^rustc 1\.([0-9]+).*/\1/')
  [ "$minor" -ge 95 ] || fail "Rust is too old ($(rustc --version)). Install 1.95 or newer, for example with: rustup update stable"
}

need_node() {
  command -v node >/dev/null || fail "Node.js is missing. Install 20 or newer as https://nodejs.org says, then run this again."
  command -v npm >/dev/null || fail "npm is missing. It comes with Node.js; install it, then run this again."
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || fail "Node.js is too old ($(node --version)). Install 20 or newer, then run this again."
}

# need_packages FOLDER: installs what the folder's lock file names, unless that is done.
need_packages() {
  local done_at=$1/node_modules/.package-lock.json
  [ "$done_at" -nt "$1/package-lock.json" ] && return
  say "Installing the npm packages of $1"
  npm ci --prefix "$1" --no-fund --no-audit --loglevel=error
  touch "$done_at"
}

need_cargo_deny() {
  cargo deny --version >/dev/null 2>&1 && return
  say "Installing cargo-deny into Cargo's own folder, once: this takes some minutes"
  cargo install --locked cargo-deny
}

need_chromium() {
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    fail "Chromium is missing. Install it (on Debian: sudo apt-get install chromium), or set CHROMIUM to its path."
  say "Installing Chromium with apt-get"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
}
