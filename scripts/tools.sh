# Sourced by the other scripts: checks for tools, and installs those that can be installed.

# Where this puts the programs that it builds, and what builds those of Kubernetes.
programs=${XDG_CACHE_HOME:-$HOME/.cache}/sluice/bin
lab=$(dirname "${BASH_SOURCE[0]}")/../tests/kind/lab/lab
nats_version=2.15.2

# When the first of the scripts began, in seconds since the epoch: those that it runs tell the time from then on too.
export SLUICE_BEGAN=${SLUICE_BEGAN:-$(date +%s)}

# since_start: the seconds since then.
since_start() { echo $(($(date +%s) - SLUICE_BEGAN)); }

# clock SECONDS: as minutes and seconds.
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# say SENTENCE: tells what happens next, and how many minutes and seconds after the start.
say() { printf '\033[1m== %s %s\033[0m\n' "$(clock "$(since_start)")" "$*"; }

# fail SENTENCE: tells what to do, and ends.
fail() { printf '%s\n' "$*" >&2; exit 1; }

need_rust() {
  command -v cargo >/dev/null || fail "Rust is missing. Install 1.95 or newer as https://www.rust-lang.org/tools/install says, then run this again."
  local minor
  minor=$(rustc --version | sed -E 's/^rustc 1\.([0-9]+).*/\1/')
  [ "$minor" -ge 95 ] || fail "Rust is too old ($(rustc --version)). Install 1.95 or newer, for example with: rustup update stable"
}

# build_for_tests: builds what Rust tests, Node tests and the images of the tests' cluster run, at once: so each crate is
# compiled with one set of features, and a second time only for lints.
build_for_tests() { cargo build --quiet --workspace --bins --tests --examples; }

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

# server_sdk: lints, builds and tests @sluice/server.
server_sdk() {
  need_packages sdk/server-node
  need_nats
  npm run --silent check --prefix sdk/server-node
}

# client_library SCRIPT: runs a script of @sluice/client: check lints, builds and tests it; test tries it with a gateway
# and by the kit too.
client_library() {
  need_packages sdk/client-js
  need_packages sdk/kit
  npm run --silent "$1" --prefix sdk/client-js
}

# python_client: lints, builds and tests the client for Python, and plays the kit with it.
python_client() {
  command -v python3 >/dev/null && python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
    fail "Python 3.10 or newer with venv is missing. Install it (on Debian: sudo apt-get install python3 python3-venv), then run this again."
  need_packages sdk/kit
  sdk/client-python/scripts/check
}

# go_client: lints and tests the client for Go, and plays the kit with it.
go_client() {
  command -v go >/dev/null || fail "Go is missing, for the client library in Go. Install 1.23 or newer as https://go.dev/doc/install says, then run this again."
  need_packages sdk/kit
  sdk/client-go/scripts/check
}

need_cargo_deny() {
  cargo deny --version >/dev/null 2>&1 && return
  say "Installing cargo-deny into Cargo's own folder, once: this takes some minutes"
  # Without optimisation, which would take longer than it could save.
  cargo install --locked --debug cargo-deny
}

# find_program NAME: prints where a program is that tests run and that is not of this repository, if it is there:
# what its variable says (NATS_SERVER, PROMETHEUS, PROMTOOL), else in PATH, else where the functions below put it;
# Kubernetes' own, etcd and helm are in SLUICE_KUBE_BIN, or where the lab builds them.
find_program() {
  local name=$1 variable=${1^^} place places
  variable=${variable//-/_}
  case $name in
    nats-server | prometheus | promtool) places=("${!variable:-}" "$(command -v "$name" || true)" "$programs/$name") ;;
    *) places=("${SLUICE_KUBE_BIN:-$("$lab" path)}/$name") ;;
  esac
  for place in "${places[@]}"; do
    [ -x "$place" ] && is_new_enough "$name" "$place" && { echo "$place"; return; }
  done
  return 1
}

# is_new_enough NAME PATH: whether this is a version of the program that the tests can use.
is_new_enough() { [ "$1" != nats-server ] || is_at_least "$("$2" --version)" "$nats_version"; }

# need_nats: finds nats-server or builds it, and sets NATS_SERVER to its path.
need_nats() {
  if ! NATS_SERVER=$(find_program nats-server); then
    command -v go >/dev/null ||
      fail "nats-server is missing, and so is Go to build it with. Install nats-server $nats_version or newer as https://docs.nats.io says, or Go as https://go.dev/doc/install says, then run this again."
    say "Building nats-server $nats_version in $programs, once: this takes some minutes"
    GOBIN=$programs go install "github.com/nats-io/nats-server/v2@v$nats_version"
    NATS_SERVER=$programs/nats-server
  fi
  export NATS_SERVER
}

# is_at_least TEXT VERSION: whether the version in the text (like v1.2.3) is that one or newer.
is_at_least() {
  local found
  found=$(grep -oE '[0-9]+\.[0-9]+\.[0-9]+' <<<"$1" | head -n 1)
  [ "$(printf '%s\n' "$2" "$found" | sort -V | head -n 1)" = "$2" ]
}

need_chromium() {
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    fail "Chromium is missing. Install it (on Debian: sudo apt-get install chromium), or set CHROMIUM to its path."
  say "Installing Chromium with apt-get"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
}

# need_prometheus: finds prometheus and promtool or builds them.
need_prometheus() {
  local version=v0.316.0
  find_program prometheus >/dev/null && find_program promtool >/dev/null && return
  command -v go >/dev/null ||
    fail "Prometheus is missing, and so is Go to build it with. Install Prometheus 3 as https://prometheus.io says, or Go as https://go.dev/doc/install says, then run this again."
  say "Building Prometheus in $programs, once: this takes some minutes"
  # Without service discovery, which nothing here needs.
  GOBIN=$programs go install -tags remove_all_sd "github.com/prometheus/prometheus/cmd/prometheus@$version" \
    "github.com/prometheus/prometheus/cmd/promtool@$version" 2> >(grep -v "^go: downloading" >&2)
}

# need_kube_bin: builds kube-apiserver, etcd, kubectl, helm and the other programs of Kubernetes, unless SLUICE_KUBE_BIN
# names their folder, or they are built.
need_kube_bin() {
  if [ -n "${SLUICE_KUBE_BIN:-}" ]; then
    find_program kube-apiserver >/dev/null && find_program etcd >/dev/null ||
      fail "SLUICE_KUBE_BIN is $SLUICE_KUBE_BIN, where there is no kube-apiserver or no etcd. Put them there, or unset SLUICE_KUBE_BIN to have them built."
    return
  fi
  command -v go >/dev/null || fail "Go is missing, which builds Kubernetes' API server for the tests. Install 1.26 or newer as https://go.dev/doc/install says, then run this again."
  "$lab" bin
}

# need_kind: makes sure that the tests can have a kind cluster: by Docker or podman where they can pull kind's node
# image, and else by the lab, which needs root and a Debian.
need_kind() {
  local cluster
  cluster=$(dirname "${BASH_SOURCE[0]}")/../tests/kind/cluster
  [ "$("$cluster" provider)" = lab ] || return 0
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    fail "The tests on Kubernetes need Docker and kind (https://kind.sigs.k8s.io), and the right to pull kind's node image; or a Debian and root, to make the cluster without them. Neither is here."
  command -v go >/dev/null || fail "Go is missing, which builds Kubernetes for the tests. Install 1.26 or newer as https://go.dev/doc/install says, then run this again."
}
