# Sourced by lab: the cluster's programs, each built from its Go module.

kube=v1.34.4 kind=v0.30.0 coredns=v1.12.1 etcd=v3.6.5 etcd_tag=3.6.5-0 pause_tag=3.10 helm=v3.19.0 provisioner=v0.0.30
programs="kubernetes $kube, etcd $etcd, coredns $coredns, kind $kind, helm $helm, local-path-provisioner $provisioner"

build_programs() {
  [ "$(cat "$bin/.programs" 2>/dev/null)" = "$programs" ] && return
  command -v go >/dev/null || die "Go is missing. Install 1.26 or newer as https://go.dev/doc/install says, then run this again."
  mkdir -p "$bin"
  say "building Kubernetes $kube in $bin, once: about 6 minutes on two cores"
  build_kubernetes
  say "building etcd, CoreDNS, kind, helm and the storage provisioner, once: about 4 minutes on two cores"
  (cd "$here/etcd" && go build -trimpath -ldflags '-s -w' -o "$bin/etcd" go.etcd.io/etcd/server/v3)
  local module
  for module in "sigs.k8s.io/kind@$kind" "helm.sh/helm/v3/cmd/helm@$helm" \
    "github.com/coredns/coredns@$coredns" "github.com/rancher/local-path-provisioner@$provisioner"; do
    GOBIN=$bin go install -trimpath -ldflags '-s -w' "$module"
  done
  echo "$programs" >"$bin/.programs"
}

build_kubernetes() {
  local version=k8s.io/component-base/version commands=() command minor=${kube#v1.}
  for command in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubeadm kubectl; do
    commands+=("k8s.io/kubernetes/cmd/$command")
  done
  (cd "$here/kubernetes" && go build -trimpath -o "$bin/" -ldflags "-s -w -X $version.gitVersion=$kube \
    -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*} -X $version.gitTreeState=clean \
    -X $version.gitCommit=0 -X $version.buildDate=1970-01-01T00:00:00Z" "${commands[@]}")
}
