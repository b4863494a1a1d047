#!/bin/sh
# Install what the browser tests need from the system: Chromium, and a Chinese font for what our web font does
# not reach (its own pages, the text of a native control). Silent when all is there.
set -eu

browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
chinese_font() { command -v fc-list && fc-list :lang=zh-cn family | grep -q .; }

missing=""
browser >/dev/null 2>&1 || missing="chromium"
chinese_font >/dev/null 2>&1 || missing="$missing fontconfig fonts-wqy-microhei"
missing=${missing# }
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The browser tests need: $missing; install them with your system's package manager (on Debian, as root: sh tools/install_system.sh)." >&2
    exit 1
fi

# Another process may hold the package lock for minutes on a fresh machine.
apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=900 "$@"; }
apt update >/dev/null
# shellcheck disable=SC2086 # one word per package
apt install --no-install-recommends $missing
