# Sourced by the other scripts: checks for tools, and installs those that can be installed.

# When the first of the scripts began, in seconds since the epoch: those that it runs tell the time from then on too.
export SLUICE_BEGAN=${SLUICE_BEGAN:-$(date +%s)}

# say SENTENCE: tells what happens next, and how many minutes and seconds after the start.
say() {
  local since=$(($(date +%s) - SLUICE_BEGAN))
  printf '\033[1m== %d:%02d %s\033[0m\n' $((since / 60)) $((since % 60)) "$*"
}

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

# need_nats: finds nats-server or installs it, and sets NATS_SERVER to its path.
need_nats() {
  local version=2.15.2 folder=${XDG_CACHE_HOME:-$HOME/.cache}/sluice/bin place
  for place in "${NATS_SERVER:-}" "$(command -v nats-server)" "$folder/nats-server"; do
    if [ -x "$place" ] && is_at_least "$("$place" --version)" "$version"; then
      export NATS_SERVER=$place
      return
    fi
  done
  command -v go >/dev/null ||
    fail "nats-server is missing, and so is Go to build it with. Install nats-server $version or newer as https://docs.nats.io says, or Go as https://go.dev/doc/install says, then run this again."
  say "Building nats-server $version in $folder, once: this takes some minutes"
  GOBIN=$folder go install "github.com/nats-io/nats-server/v2@v$version"
  export NATS_SERVER=$folder/nats-server
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

# need_prometheus: finds prometheus and promtool or builds them, and sets PROMETHEUS and PROMTOOL to their paths.
need_prometheus() {
  local version=v0.316.0 folder=${XDG_CACHE_HOME:-$HOME/.cache}/sluice/bin
  export PROMETHEUS=${PROMETHEUS:-$(command -v prometheus || echo "$folder/prometheus")}
  export PROMTOOL=${PROMTOOL:-$(command -v promtool || echo "$folder/promtool")}
  [ -x "$PROMETHEUS" ] && [ -x "$PROMTOOL" ] && return
  command -v go >/dev/null ||
    fail "Prometheus is missing, and so is Go to build it with. Install Prometheus 3 as https://prometheus.io says, or Go as https://go.dev/doc/install says, then run this again."
  say "Building Prometheus in $folder, once: this takes some minutes"
  # Without service discovery, which nothing here needs.
  GOBIN=$folder go install -tags remove_all_sd "github.com/prometheus/prometheus/cmd/prometheus@$version" \
    "github.com/prometheus/prometheus/cmd/promtool@$version" 2> >(grep -v "^go: downloading" >&2)
  export PROMETHEUS=$folder/prometheus PROMTOOL=$folder/promtool
}

# need_kube_bin: builds kube-apiserver, etcd, kubectl, helm and the other programs of Kubernetes unless they are
# there, and sets SLUICE_KUBE_BIN to their folder. SLUICE_KUBE_BIN itself, if it is set, is taken as it is.
need_kube_bin() {
  local lab
  lab=$(dirname "${BASH_SOURCE[0]}")/../tests/kind/lab/lab
  if [ -n "${SLUICE_KUBE_BIN:-}" ]; then
    [ -x "$SLUICE_KUBE_BIN/kube-apiserver" ] && [ -x "$SLUICE_KUBE_BIN/etcd" ] ||
      fail "SLUICE_KUBE_BIN is $SLUICE_KUBE_BIN, where there is no kube-apiserver or no etcd. Put them there, or unset SLUICE_KUBE_BIN to have them built."
    return
  fi
  command -v go >/dev/null || fail "Go is missing, which builds Kubernetes' API server for the tests. Install 1.26 or newer as https://go.dev/doc/install says, then run this again."
  "$lab" bin
  SLUICE_KUBE_BIN=$("$lab" path)
  export SLUICE_KUBE_BIN
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
