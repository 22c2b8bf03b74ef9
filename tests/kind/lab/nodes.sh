# Sourced by lab: the nodes, which are podman's containers in a network namespace of the lab's own.

podman_ready() {
  [ "$(id -u)" = 0 ] || die "the lab makes containers, networks and mounts, and so needs root. Run it as root, or install Docker and plain kind, which tests/kind/cluster then uses."
  command -v apt-get >/dev/null || die "the lab installs Debian packages with apt-get, which is not here. Install Docker and plain kind instead, which tests/kind/cluster then uses."
  mkdir -p /lib/modules "$home"
  install_packages
  [ -e /etc/containers/policy.json ] || {
    mkdir -p /etc/containers
    echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
  }
  local files
  files=$(ulimit -Hn)
  cat >"$CONTAINERS_CONF" <<CONF
[containers]
pids_limit = 0
default_ulimits = ["nofile=$files:$files", "nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
CONF
}

install_packages() {
  local package missing=()
  for package in podman runc netavark aardvark-dns debootstrap iptables iproute2 kmod busybox-static jq; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]} with apt-get"
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

in_lab() { nsenter --net="/run/netns/$netns" env KIND_EXPERIMENTAL_PROVIDER=podman PATH="$bin:$PATH" "$@"; }

# IPv4 only: the nodes need no more.
network_ready() {
  [ -e "/run/netns/$netns" ] || ip netns add "$netns"
  nsenter --net="/run/netns/$netns" ip link set lo up
  in_lab sysctl -qw net.ipv4.ip_forward=1
  podman network exists kind || in_lab podman network create -d bridge --subnet 10.99.0.0/24 kind >/dev/null
}

up() {
  build_image
  network_ready
  if in_lab kind get clusters 2>/dev/null | grep -qx "$name"; then
    if in_lab timeout 10 kubectl --context "kind-$name" get --raw /readyz >/dev/null 2>&1; then
      say "the cluster $name is up already"
      return
    fi
    say "the cluster $name is there but does not answer: making it anew"
    remove
  fi
  in_lab kind create cluster --name "$name" --image "$image" "${config[@]}" --wait 300s
  route
}

load() {
  local archive
  [ ${#rest[@]} -gt 0 ] || die "name at least one archive to load"
  for archive in "${rest[@]}"; do in_lab kind load image-archive --name "$name" "$archive"; done
}

remove() {
  [ -e "/run/netns/$netns" ] || return 0
  in_lab kind delete cluster --name "$name" || true
  podman ps -aq --filter "label=io.x-k8s.kind.cluster=$name" | xargs -r podman rm -f >/dev/null
}

# A node that is started again may have another address, to which routes lead once Kubernetes knows it.
start_node() {
  local node=$1 address
  in_lab podman start "$node" >/dev/null
  address=$(podman inspect --format '{{.NetworkSettings.Networks.kind.IPAddress}}' "$node")
  name=$(podman inspect --format '{{index .Config.Labels "io.x-k8s.kind.cluster"}}' "$node")
  for _ in $(seq 120); do
    [ "$(address_of "$node" 2>/dev/null)" = "$address" ] && break
    sleep 1
  done
  route
}

# address_of NODE: its address as Kubernetes knows it.
address_of() {
  in_lab kubectl --context "kind-$name" get node "$1" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}'
}

# Pods and services are reached from the lab's network, as a machine beside the cluster would reach them.
route() {
  local range via
  in_lab kubectl --context "kind-$name" get nodes -o json |
    jq -r '.items[] | [.spec.podCIDR, (.status.addresses[] | select(.type == "InternalIP") | .address)] | @tsv' |
    while read -r range via; do in_lab ip route replace "$range" via "$via"; done
  in_lab ip route replace 10.96.0.0/16 via "$(address_of "$name-control-plane")"
}
