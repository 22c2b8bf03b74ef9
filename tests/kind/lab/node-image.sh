# Sourced by lab: the image of a node, a Debian with the kubelet, containerd, and the cluster's own images.

# Named by what it is made of, so that a change here makes a new one.
image=localhost/sluice/lab-node:$kube-$(cat "$here"/{programs,node-image}.sh "$here"/node/* | sha256sum | head -c 12)

build_image() {
  podman_ready
  podman image exists "$image" && return
  build_programs
  local root=$home/rootfs work=$home/work
  rm -rf "$root" "$work"
  mkdir -p "$work/img"
  bootstrap
  install_node
  pack_images
  store_images
  say "importing the node image into podman"
  tar -C "$root" -c . | podman import -q --change 'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]' \
    --change 'ENV container=docker' --change 'STOPSIGNAL SIGRTMIN+3' - "$image" >/dev/null
  rm -rf "$root" "$work"
}

bootstrap() {
  say "bootstrapping the node's Debian: about 2 minutes"
  local packages=systemd,systemd-sysv,dbus,containerd,runc,conntrack,iptables,nftables,iproute2,ethtool,mount,kmod,jq
  packages+=,procps,ca-certificates,curl,containernetworking-plugins,ebtables,socat,util-linux
  debootstrap --variant=minbase --include="$packages" bookworm "$root" >"$home/debootstrap.log" 2>&1 || {
    tail -5 "$home/debootstrap.log" >&2
    die "debootstrap failed; $home/debootstrap.log says why"
  }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
}

install_node() {
  local base
  base=$(go mod download -json "sigs.k8s.io/kind@$kind" | jq -r .Dir)/images/base/files
  cp -r --no-preserve=mode "$base"/{etc,kind,usr} "$root"/
  chmod 0755 "$root"/usr/local/bin/* "$root"/kind/bin "$root"/kind/bin/*
  install -m 0755 "$bin"/{kubeadm,kubelet,kubectl} "$root/usr/bin/"
  mkdir -p "$root/opt/cni/bin" "$root/etc/kubernetes/manifests" "$root/kind/manifests" "$root/LICENSES"
  cp "$root"/usr/lib/cni/{host-local,loopback,ptp,portmap} "$root/opt/cni/bin/"
  echo "$kube" >"$root/kind/version"
  cp "$here"/node/default-{storage,cni}.yaml "$root/kind/manifests/"
  install -m 0755 "$here/node/pod-network" "$root/usr/local/bin/pod-network"
  install -m 0644 "$here/node/pod-network.service" "$root/etc/systemd/system/"
  configure_containerd
  configure_systemd
}

# What a container without CAP_SYS_RESOURCE cannot do is left out.
configure_containerd() {
  sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/; s#registry.k8s.io/pause:3[0-9.]*#registry.k8s.io/pause:'"$pause_tag"'#' "$root/etc/containerd/config.toml"
  sed -i 's#/usr/local/bin/containerd#/usr/bin/containerd#; /OOMScoreAdjust/d; s/^Limit\(NOFILE\|NPROC\|CORE\)=.*//' "$root/etc/systemd/system/containerd.service"
  chroot "$root" ctr oci spec >"$work/spec.json"
  jq '.hooks.createContainer[.hooks.createContainer|length] |= . + {"path": "/kind/bin/mount-product-files.sh"} | del(.process.rlimits)' \
    "$work/spec.json" >"$root/etc/containerd/cri-base.json"
}

configure_systemd() {
  find "$root/lib/systemd/system/sysinit.target.wants/" -name systemd-tmpfiles-setup.service -delete
  rm -f "$root"/lib/systemd/system/{multi-user,local-fs,basic}.target.wants/* "$root"/etc/systemd/system/*.wants/* \
    "$root"/lib/systemd/system/sockets.target.wants/*{udev,initctl}*
  echo ReadKMsg=no >>"$root/etc/systemd/journald.conf"
  chroot "$root" systemctl enable kubelet containerd undo-mount-hacks pod-network >/dev/null 2>&1
  chroot "$root" systemctl mask systemd-binfmt >/dev/null 2>&1
  ln -sf /lib/systemd/systemd "$root/sbin/init"
}

pack_images() {
  say "packing the cluster's own images"
  local name
  for name in kube-apiserver kube-controller-manager kube-scheduler; do
    pack "$name" "registry.k8s.io/$name:$kube" "$bin/$name"
  done
  pack etcd "registry.k8s.io/etcd:$etcd_tag" "$bin/etcd"
  pack coredns "registry.k8s.io/coredns/coredns:$coredns" "$bin/coredns"
  gcc -static -O2 -o "$work/pause" "$here/node/pause.c"
  pack pause "registry.k8s.io/pause:$pause_tag" "$work/pause"
  pack local-path-provisioner docker.io/sluice/local-path-provisioner:lab "$bin/local-path-provisioner"
  pack_busybox
  pack_kube_proxy
}

# pack FILE NAME PROGRAM: writes the archive FILE of an image that holds one static program.
pack() {
  local root=$work/packed program=/usr/local/bin/${3##*/}
  rm -rf "$root"
  mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs"
  mkdir -m 1777 "$root/tmp"
  install -m 0755 "$3" "$root$program"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null || true
  "$here/node/image-tar.py" "$2" "$work/img/$1.tar" "$root" "$program"
}

pack_busybox() {
  local root=$work/busybox applet
  mkdir -p "$root/bin" "$root/tmp"
  install -m 0755 "$(command -v busybox)" "$root/bin/busybox"
  for applet in $("$root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
  done
  "$here/node/image-tar.py" docker.io/library/busybox:lab "$work/img/busybox.tar" "$root" sh
}

# kube-proxy calls iptables, nft and conntrack, which need the shared libraries that they load.
pack_kube_proxy() {
  local proxy=$work/kube-proxy name library
  mkdir -p "$proxy"/{usr/local/bin,tmp,run,etc}
  tar -C "$root" -c usr/sbin/{xtables-nft-multi,xtables-legacy-multi,conntrack,nft} "usr/lib/$(uname -m)-linux-gnu/xtables" | tar -x -C "$proxy"
  (cd "$proxy" && find usr/sbin usr/lib -type f) | sed 's#^#/#' | { xargs chroot "$root" ldd 2>/dev/null || true; } |
    grep -o '/[^ ]*' | grep -v ':$' | sort -u |
    while read -r library; do
      mkdir -p "$proxy$(dirname "$library")"
      cp -Lu "$root$library" "$proxy$library"
    done
  for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf xtables-nft-multi "$proxy/usr/sbin/$name"
  done
  install -m 0755 "$bin/kube-proxy" "$proxy/usr/local/bin/"
  "$here/node/image-tar.py" "registry.k8s.io/kube-proxy:$kube" "$work/img/kube-proxy.tar" "$proxy" /usr/local/bin/kube-proxy
}

store_images() {
  say "storing them in the node's containerd"
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mkdir -p "$root/img"
  mount --bind "$work/img" "$root/img"
  chroot "$root" containerd >"$home/containerd.log" 2>&1 &
  local containerd=$! archive failed=()
  for _ in $(seq 100); do chroot "$root" ctr version >/dev/null 2>&1 && break; sleep 0.2; done
  for archive in "$work/img"/*.tar; do
    chroot "$root" ctr -n k8s.io images import --snapshotter=overlayfs "/img/${archive##*/}" >/dev/null || failed+=("${archive##*/}")
  done
  kill "$containerd"
  wait "$containerd" 2>/dev/null || true
  umount "$root/img" "$root/proc" "$root"
  rmdir "$root/img"
  [ ${#failed[@]} -eq 0 ] || die "containerd did not take ${failed[*]}; $home/containerd.log says why"
  rm -rf "$root"/var/lib/containerd/io.containerd.content.v1.content/ingest "$root"/run/containerd
}
