#!/bin/sh
# Installs circuit: downloads the executable for this machine and the checksums of the release,
# compares, tries it, and only then puts it into place.
#
# The checksum shows that the executable came whole. It does not show who made it: it is kept beside
# the executable, and anyone who can exchange one can exchange both. That both come from the
# release is shown by HTTPS alone, so nothing is taken over plain HTTP, not even after a redirection.
set -eu

# Where the files of the release are. The copy in a release has that release's address here.
release=

usage() {
  cat <<'END'
Usage: install.sh [-d DIR]
  -d DIR  where to put the executable; by default /usr/local/bin if that can be written,
          else ~/.local/bin
Environment:
  CIRCUIT_URL  where circuit-SYSTEM-MACHINE and SHA256SUMS are, instead of the release that this
               script came with: https://... or, for a directory of this machine, file:///...
The checksum shows that the download is whole, not who made it; for that, trust is in HTTPS and in
the place that you name.
END
}

fail() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

# The name of the executable for this machine.
target() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=macos ;;
    *) fail "there is no executable for $(uname -s): there are some for Linux and macOS" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "there is no executable for $(uname -m): there are some for x86-64 and arm64" ;;
  esac
  printf 'circuit-%s-%s\n' "$system" "$machine"
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# download URL FILE
download() {
  case $1 in
    file:///*) cp "${1#file://}" "$2" 2>"$work/said" ;;
    *) fetch "$1" "$2" ;;
  esac || fail "cannot download $1$(sed 's/^/: /;q' "$work/said")"
}

# fetch URL FILE: by HTTPS alone, with TLS 1.2 at least.
fetch() {
  if has curl; then
    curl --proto '=https' --tlsv1.2 -fsSL -o "$2" "$1" 2>"$work/said"
  elif has wget; then
    follow "$1" "$2"
  else
    fail "curl or wget is needed to download $1"
  fi
}

# follow URL FILE: wget goes from https to http if it is told to, so it follows no redirection here.
follow() {
  from=$1
  for _ in 1 2 3 4 5; do
    wget --secure-protocol=TLSv1_2 --max-redirect=0 -nv -S -O "$2" "$from" 2>"$work/headers" &&
      return
    from=$(awk 'tolower($1) == "location:" { sub(/\r$/, ""); to = $2 } END { print to }' \
      "$work/headers")
    case $from in
      https://*) ;;
      '') break ;;
      *) echo "redirected to $from" >"$work/said" && return 1 ;;
    esac
  done
  grep -v -e '^ ' -e ':$' "$work/headers" >"$work/said"
  return 1
}

# The SHA-256 of a file, in hexadecimal digits.
digest() {
  if has sha256sum; then
    sha256sum "$1"
  elif has shasum; then
    shasum -a 256 "$1"
  else
    fail "sha256sum or shasum is needed to check what was downloaded"
  fi | cut -d ' ' -f 1
}

dir=
while getopts d:h option; do
  case $option in
    d) dir=$OPTARG ;;
    h) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done
shift $((OPTIND - 1))
if [ $# -gt 0 ]; then
  printf 'install: unknown argument "%s"\n' "$1" >&2
  usage >&2
  exit 2
fi

url=${CIRCUIT_URL:-$release}
[ -n "$url" ] || fail "this copy belongs to no release: set CIRCUIT_URL to where the files are"
url=${url%/}
case $url in
  https://* | file:///*) ;;
  *) fail "cannot install from $url: want https://..., or file:///... for a directory" ;;
esac
if [ -z "$dir" ]; then
  dir=/usr/local/bin
  [ -w "$dir" ] || dir=${HOME:?is not set, and there is no -d DIR}/.local/bin
fi
file=$(target)
mkdir -p "$dir" || fail "cannot make the directory $dir"

# Beside its place, so that the executable is whole or not there, whatever happens.
work=$(mktemp -d "$dir/.circuit-XXXXXX") || fail "cannot write to $dir"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
: >"$work/said"

download "$url/SHA256SUMS" "$work/SHA256SUMS"
wanted=$(awk -v file="$file" '$2 == file { print $1 }' "$work/SHA256SUMS")
[ -n "$wanted" ] || fail "$url/SHA256SUMS has no checksum for $file"
download "$url/$file" "$work/circuit"
found=$(digest "$work/circuit")
[ "$found" = "$wanted" ] ||
  fail "$url/$file is not what was released: its SHA-256 is $found, not $wanted"
chmod 755 "$work/circuit"
version=$("$work/circuit" version) ||
  fail "$file does not run on this machine; on Linux it needs glibc, which Alpine does not have"
mv -f "$work/circuit" "$dir/circuit"

printf 'installed %s as %s/circuit\n' "$version" "$dir"
case :$PATH: in
  *":$dir:"*) ;;
  *) printf 'put %s into PATH to call it by its name\n' "$dir" ;;
esac
