#!/usr/bin/env bash
# Docker isolation on a real daemon of its own: its socket, its data, and images
# that are made here under the names that the program uses by default.
# Arguments are for go test, in place of the usual ones. KEEP=1 leaves the daemon
# running, without the metadata service, and prints how to use it.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d "${TMPDIR:-/var/tmp}/mcpproxy-docker.XXXXXX")
cloud=mcpcloud$$ service=
mkdir "$work/root" "$work/exec" "$work/empty"
stop() {
  set +e # all of it, whatever is gone already
  kill ${service:+"$service"} 2>/dev/null
  ip netns del "$cloud" 2>/dev/null && ip link del "$cloud" 2>/dev/null
  kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null
  rm -rf "$work"
}
dockerd --data-root "$work/root" --exec-root "$work/exec" --pidfile "$work/pid" -H "unix://$work/sock" >"$work/log" 2>&1 &
daemon=$!
trap stop EXIT
export DOCKER_HOST=unix://$work/sock
for _ in $(seq 1 200); do docker version >/dev/null 2>&1 && break || sleep 0.1; done
docker version >/dev/null || { cat "$work/log"; exit 1; }

# base DIR makes a root with a few programs.
base() {
  mkdir -p "$1"/{bin,tmp,usr/bin,usr/lib,etc,root,app}
  cp /bin/busybox "$1/bin/"
  for name in sh env cat ls sleep; do ln -s busybox "$1/bin/$name"; done
  ln -s /bin/env "$1/usr/bin/env"
  cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ca.crt"
  chmod 1777 "$1/tmp"
}
# libraries DIR FILE... copies what the files are linked with.
libraries() {
  local root=$1
  shift
  for file in "$@"; do ldd "$file" 2>/dev/null | awk '/=> \//{print $3} /^\t\/lib/{print $1}'; done | sort -u |
    while read -r lib; do mkdir -p "$root$(dirname "$lib")" && cp -L "$lib" "$root$lib"; done
}
image() { tar -C "$1" -c . | docker import -c 'ENV PATH=/usr/local/bin:/usr/bin:/bin' "${@:3}" - "$2" >/dev/null; }

make_node() { # node and npm of this machine
  local root=$work/node
  base "$root"
  cp "$(readlink -f "$(command -v node)")" "$root/usr/bin/node"
  libraries "$root" "$root/usr/bin/node"
  mkdir "$root/usr/lib/node_modules"
  cp -a "$(npm root -g)/npm" "$root/usr/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/bin/npx"
  image "$root" node:20 -c 'ENV NODE_EXTRA_CA_CERTS=/etc/ca.crt' -c 'WORKDIR /app'
}

make_python() { # the python of Debian with the pip of python3-pip-whl, and no uv
  local root=$work/python
  base "$root"
  cp /usr/bin/python3.11 "$root/usr/bin/"
  ln -s python3.11 "$root/usr/bin/python3"
  ln -s python3.11 "$root/usr/bin/python"
  cp -a /usr/lib/python3.11 "$root/usr/lib/"
  rm -f "$root/usr/lib/python3.11/EXTERNALLY-MANAGED"
  mkdir -p "$root/usr/lib/python3/dist-packages"
  python3.11 -m zipfile -e /usr/share/python-wheels/pip-*.whl "$root/usr/lib/python3/dist-packages/"
  libraries "$root" /usr/bin/python3.11 /usr/lib/python3.11/lib-dynload/*.so
  image "$root" python:3.11
}

metadata() { # a service at the address of a cloud's, one hop behind this machine
  ip netns add "$cloud" &&
    ip link add "$cloud" type veth peer name eth0 netns "$cloud" &&
    ip addr add 198.51.100.253/30 dev "$cloud" && ip link set "$cloud" up &&
    ip netns exec "$cloud" sh -ec 'ip link set lo up; ip addr add 198.51.100.254/30 dev eth0; ip addr add 169.254.169.254/32 dev eth0
      ip link set eth0 up; ip route add default via 198.51.100.253' &&
    ip route add 169.254.169.254/32 via 198.51.100.254 || return
  ip netns exec "$cloud" /bin/busybox httpd -f -h "$work/empty" -p 169.254.169.254:80 &
  service=$!
  for _ in $(seq 1 50); do (exec 3<>/dev/tcp/169.254.169.254/80) 2>/dev/null && return; sleep 0.1; done
  return 1
}

make_node
make_python
docker images
if [ -n "${KEEP:-}" ]; then
  echo "export DOCKER_HOST=$DOCKER_HOST; ends with: kill $daemon; rm -rf $work"
  trap - EXIT
  exit
fi
if metadata; then export MCPPROXY_TEST_METADATA=1; else echo 'no metadata service could be made: its test is left out'; fi
[ $# -gt 0 ] || set -- -timeout 5m -run 'TestDocker$' ./upstream/docker ./cmd/mcpproxy
CI_REQUIRE=docker go test -count=1 "$@"
