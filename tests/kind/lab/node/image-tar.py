#!/usr/bin/env python3
"""image-tar.py [--user UID] NAME OUT ROOT ENTRYPOINT...: writes folder ROOT as a docker image archive of one layer."""
import argparse
import hashlib
import io
import json
import pathlib
import platform
import tarfile
import tempfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PATH = "PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"


def roots(member):
    """Everything belongs to root, and is as old as everything else: the same folder makes the same image."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def add(archive, name, data):
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def write(name, out, root, entrypoint, user):
    with tempfile.NamedTemporaryFile(dir=out.parent) as layer:
        with tarfile.open(fileobj=layer, mode="w") as tar:
            tar.add(root, arcname="", filter=roots)
        layer.flush()
        with open(layer.name, "rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        config = json.dumps({
            "architecture": ARCHITECTURES[platform.machine()],
            "os": "linux",
            "config": {"Entrypoint": entrypoint, "Env": [PATH], "User": user},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }).encode()
        config_name = hashlib.sha256(config).hexdigest() + ".json"
        manifest = [{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]
        with tarfile.open(out, "w") as archive:
            add(archive, config_name, config)
            add(archive, "manifest.json", json.dumps(manifest).encode())
            archive.add(layer.name, arcname="layer.tar")


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--user", default="")
parser.add_argument("name")
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("root", type=pathlib.Path)
parser.add_argument("entrypoint", nargs="+")
given = parser.parse_args()
write(given.name, given.out, given.root, given.entrypoint, given.user)
