# Sourced by the scripts: installs what a Debian 12 machine lacks, says so, and builds.

source_dir=$(cd "$(dirname "$0")/.." && pwd)
build_dir=${DMPFEED_BUILD:-$source_dir/build}

build_packages="gcc libc6-dev meson ninja-build pkg-config libevent-dev libcurl4-openssl-dev libssl-dev libsqlite3-dev
	libyaml-dev libxml2-dev libxmlsec1-dev libjansson-dev libp11-kit-dev libzip-dev libcmocka-dev"
run_packages="python3 python3-lxml python3-xmlsec python3-yaml openssl ghostscript libgs-common"
test_packages="chromium chromium-driver python3-pytest python3-pytest-xdist python3-hl7 python3-prometheus-client
	python3-selenium softhsm2 xmlsec1 sqlite3 procps iproute2"
package_packages="build-essential debhelper meson pkg-config libevent-dev libcurl4-openssl-dev libssl-dev libsqlite3-dev
	libyaml-dev libxml2-dev libjansson-dev libp11-kit-dev libzip-dev lintian po-debconf python3"
# A service in the package is not started: its programs are wanted.
idle_packages="prometheus"

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

install_missing()
{
	missing=
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	echo "installing:$missing" >&2
	as_root apt-get -qq update >&2
	# shellcheck disable=SC2086 # a list
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y $missing >&2
}

# Of a package that brings a service, with systemd or without: policy-rc.d is asked before any is started, and says no.
install_idle()
(
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'as_root rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin "$policy"
	fi
	install_missing "$@"
)

# build FOLDER [MESON OPTION]...
build()
{
	folder=$1
	shift
	[ -f "$folder/build.ninja" ] || meson setup "$folder" "$source_dir" "$@" >&2
	ninja -C "$folder" >&2
}

# What a script needs that runs the programs.
prepare_run()
{
	# shellcheck disable=SC2086 # lists
	install_missing $build_packages $run_packages
	build "$build_dir"
	export DMPFEED_BUILD="$build_dir"
}
