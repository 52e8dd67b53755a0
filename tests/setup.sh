# Sourced by tests/run and examples/quickstart, from the top of the checkout: makes .venv ready, once.
# Says what it will install first; a second run finds its stamp and does nothing.

venv=.venv
lock=tests/requirements.lock
oracles=tests/oracles.lock
torch_version=2.13.0

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    stop "Python 3.11 or newer is needed and was not found." "Install it, or name it: PYTHON=/path/to/python $0"
}

stamp_of() {
    # what the environment was made of: another lock, another project file or another Python means making it anew
    { cat "$lock" "$oracles" pyproject.toml tests/setup.sh; "$1" -VV; pwd -P; } | "$1" -c \
        'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

is_sound() {
    [ -x "$venv/bin/python" ] && [ "$("$venv/bin/python" -VV 2>/dev/null)" = "$("$1" -VV)" ] &&
        head -1 "$venv/bin/pip" 2>/dev/null | grep -qF "$PWD/"
}

check_text_libraries() {
    # WeasyPrint loads these when it is imported; asking it is the one test that holds on every system
    "$venv/bin/python" -c 'import weasyprint' >/dev/null 2>&1 && return
    local packages="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing the system libraries that WeasyPrint needs: $packages"
        apt-get update -qq >/dev/null || true
        # shellcheck disable=SC2086 # three names, three words
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    fi
    "$venv/bin/python" -c 'import weasyprint' >/dev/null 2>&1 ||
        stop "The PDF report needs Pango and HarfBuzz, which this system lacks. On Debian and Ubuntu:" \
            "    sudo apt-get install $packages" \
            "elsewhere the packages are called pango and harfbuzz. Then run this again." \
            "What WeasyPrint says: $("$venv/bin/python" -c 'import weasyprint' 2>&1 | tail -1)"
}

install_packages() {
    local python=$1 pip="$venv/bin/python -m pip --disable-pip-version-check --quiet"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        stop "This Python cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv"
    # an environment of another Python, or of a folder that was moved, cannot be mended
    if is_sound "$python"; then
        echo "Bringing $venv up to date with $lock"
    else
        echo "Setting up $venv with $("$python" -V): torch $torch_version and $(grep -c '^[a-z].*==' "$lock") packages from $lock."
        echo "About 450 MB to download with the CPU build of torch, 1.9 GB on disk. Nothing outside this folder is touched"
        echo "except, as root and where they are missing, three system libraries. This takes some minutes, once."
        "$python" -m venv --clear "$venv"
    fi
    # The CPU build has other files than the default one, so it cannot stand in the lock: it comes first, by version.
    # AUDIT_TORCH_INDEX names an index to take it from, where the default one would bring a build for graphics cards.
    $pip install ${AUDIT_TORCH_INDEX:+--index-url "$AUDIT_TORCH_INDEX"} "torch==$torch_version"
    $pip install --require-hashes -r "$lock"
    $pip install --require-hashes --no-deps -r "$oracles"
    $pip install --no-deps --no-build-isolation --editable .
}

set_up() {
    local python stamp
    python=$(find_python)
    stamp=$(stamp_of "$python")
    if [ ! -f "$venv/.stamp" ] || [ "$(cat "$venv/.stamp")" != "$stamp" ]; then
        install_packages "$python"
        check_text_libraries
        printf '%s\n' "$stamp" > "$venv/.stamp"
        return
    fi
    check_text_libraries
}
