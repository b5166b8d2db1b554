#!/usr/bin/env bash
# Makes a package for Debian and Ubuntu of the folder of a release:
#   VERSION=v1.2.3 SOURCE_DATE_EPOCH=… MAINTAINER='Name <address>' scripts/release-deb.sh FOLDER ARCH OUT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

folder=$1 arch=$2 out=$3
: "${VERSION:?}" "${SOURCE_DATE_EPOCH:?}" "${MAINTAINER:?}"
debian=${VERSION#v}
debian=${debian/-/\~} # a candidate sorts before the release
root=$(mktemp -d)
chmod 755 "$root" # it is in the package as ./
trap 'rm -rf "$root"' EXIT

# put FILE PLACE [MODE]
put() { install -D -m "${3:-644}" "$1" "$root/$2"; }

doc=usr/share/doc/usher
put "$folder/usher" usr/bin/usher 755
put deploy/systemd/usher.service usr/lib/systemd/system/usher.service
put deploy/systemd/usher.sysusers usr/lib/sysusers.d/usher.conf
put deploy/systemd/usher.tmpfiles usr/lib/tmpfiles.d/usher.conf
put deploy/systemd/usher.default etc/default/usher
put "$folder/completions/usher" usr/share/bash-completion/completions/usher
put "$folder/completions/_usher" usr/share/zsh/vendor-completions/_usher
put "$folder/completions/usher.fish" usr/share/fish/vendor_completions.d/usher.fish
put "$folder/usher.schema.json" usr/share/usher/usher.schema.json
put deploy/systemd/credentials.conf $doc/examples/credentials.conf
put deploy/grafana/usher.json $doc/examples/grafana/usher.json
put deploy/prometheus/alerts.yml $doc/examples/prometheus/alerts.yml
put deploy/debian/copyright $doc/copyright
put "$folder/LICENSES-of-modules.txt" $doc/LICENSES-of-modules.txt
put "$folder/LICENSES-of-pages.txt" $doc/LICENSES-of-pages.txt
put README.md $doc/README.md
for file in docs/*.md docs/*.png; do put "$file" "$doc/docs/${file#docs/}"; done
put CHANGELOG.md $doc/CHANGELOG.md
gzip --no-name --best >"$root/$doc/changelog.gz" <<END
usher ($debian) stable; urgency=medium

  * $VERSION: CHANGELOG.md beside this file says what has changed.

 -- $MAINTAINER  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
put deploy/debian/lintian-overrides usr/share/lintian/overrides/usher

# newest PREFIX: the newest of the versioned symbols that the program needs.
newest() { readelf --wide --dyn-syms "$folder/usher" | grep -oE "@$1_[0-9.]+" | sort -Vu | tail -n 1 | sed "s/@$1_//"; }
case $(newest GLIBCXX) in # https://gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html
  3.4.29) stdcxx=11 ;;
  3.4.30) stdcxx=12 ;;
  3.4.3[12]) stdcxx=13 ;;
  3.4.33) stdcxx=14 ;;
  3.4.34) stdcxx=15 ;;
  *)
    echo "which gcc has libstdc++'s GLIBCXX_$(newest GLIBCXX)? Add it to $0" >&2
    exit 1
    ;;
esac

mkdir "$root/DEBIAN"
for script in postinst prerm postrm; do install -m 755 "deploy/debian/$script" "$root/DEBIAN/$script"; done
echo /etc/default/usher >"$root/DEBIAN/conffiles"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
cat >"$root/DEBIAN/control" <<END
Package: usher
Version: $debian
Architecture: $arch
Maintainer: $MAINTAINER
Installed-Size: $(du -k --apparent-size --summarize --exclude=DEBIAN "$root" | cut -f 1)
Depends: libc6 (>= $(newest GLIBC)), libgcc-s1 (>= 3.0), libstdc++6 (>= $stdcxx), ca-certificates, systemd | systemd-standalone-sysusers | systemd-sysusers, systemd | systemd-standalone-tmpfiles | systemd-tmpfiles
Section: database
Priority: optional
Description: GraphQL gateway for applications with many tenants
 A request shows its token; usher seats it at that tenant's own data: rows of
 a shared PostgreSQL database, a database of the tenant's own, files of DuckDB
 or an API somewhere else. A query without its tenant cannot be executed.
END
dpkg-deb --root-owner-group -Zxz --build "$root" "$out/usher_${debian}_$arch.deb" >/dev/null
