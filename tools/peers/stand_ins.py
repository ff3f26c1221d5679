"""
Makes PyPI's torch importable on a machine without CUDA.

The Linux wheel of torch links the CUDA libraries, which are other packages of several gigabytes. Its processor kernels need none
of them, but the dynamic linker wants the files and every symbol. This puts empty libraries with those symbols beside torch's own.
Every function in them returns 100, which CUDA reads as "no device": torch then says that CUDA is not available.

    python stand_ins.py VENV      VENV holds torch, installed with --no-deps; needs readelf and gcc

Doing it twice changes nothing.
"""

import collections
import ctypes
import pathlib
import re
import subprocess
import sys

NO_DEVICE = 100


def read_elf(library, *options):
    return subprocess.run(["readelf", "-W", *options, str(library)], capture_output=True, text=True, check=True).stdout


def needed(library):
    """Names of the libraries that `library` links."""
    return re.findall(r"\(NEEDED\).*\[(.+)\]", read_elf(library, "-d"))


def owners(library):
    """Which linked library gives each symbol version."""
    owner_of, file = {}, None
    for line in read_elf(library, "-V").splitlines():
        if found := re.search(r"\bFile: (\S+)\s+Cnt:", line):
            file = found[1]
        elif file is not None and (found := re.search(r"\bName: (\S+)\s+Flags:", line)):
            owner_of[found[1]] = file
    return owner_of


def symbols(library):
    """Yields name, version (or None), whether it is defined here, whether it may be absent."""
    for line in read_elf(library, "--dyn-syms").splitlines():
        fields = line.split()
        if len(fields) < 8 or not fields[0].rstrip(":").isdigit():
            continue
        name, _, version = fields[7].replace("@@", "@").partition("@")
        yield name, version or None, fields[6] != "UND", fields[4] == "WEAK"


def is_loadable(name):
    try:
        ctypes.CDLL(name)
        return True
    except OSError:
        return False


def build(target, names_by_version):
    names = sorted({name for names in names_by_version.values() for name in names})
    source = "".join(f"int {name}(void) {{ return {NO_DEVICE}; }}\n" for name in names)
    command = ["gcc", "-x", "c", "-shared", "-fPIC", "-nostdlib", "-fno-builtin", "-w", f"-Wl,-soname,{target.name}"]
    versions = {version: names for version, names in names_by_version.items() if version is not None}
    script = target.with_suffix(".versions")
    if versions:
        script.write_text(
            "".join(f"{version} {{ global: {' '.join(f'{name};' for name in sorted(names))} }};\n" for version, names in versions.items())
        )
        command.append(f"-Wl,--version-script={script}")
    subprocess.run([*command, "-o", str(target), "-"], input=source, text=True, check=True)
    script.unlink(missing_ok=True)


def main(venv):
    [folder] = pathlib.Path(venv).glob("lib/python3*/site-packages/torch/lib")
    libraries = sorted(folder.glob("*.so*"))
    own = {library.name for library in libraries}
    links = {library: needed(library) for library in libraries}
    missing = sorted({name for names in links.values() for name in names if name not in own and not is_loadable(name)})
    defined = {name for library in libraries for name, _, is_defined, _ in symbols(library) if is_defined}

    wanted = {name: collections.defaultdict(set) for name in missing}
    for library in libraries:
        absent = [name for name in links[library] if name in missing]
        if not absent:
            continue
        owner_of = owners(library)
        # What has no version may come from any library: the linker looks through all of them.
        unversioned = next((name for name in absent if name not in owner_of.values()), absent[0])
        for name, version, is_defined, is_weak in symbols(library):
            if is_defined or is_weak or name in defined or name.startswith(("Py", "_Py")):
                continue
            owner = unversioned if version is None else owner_of.get(version)
            if owner in wanted:
                wanted[owner][version].add(name)
    for name, names_by_version in wanted.items():
        build(folder / name, names_by_version)
    print(f"stand-ins made: {', '.join(missing) or 'none needed'}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
