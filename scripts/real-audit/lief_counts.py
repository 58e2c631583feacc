"""What LIEF reads of the images below a folder: for each part its path, its processor, and how many places the loader adjusts.

    lief_counts.py FOLDER >counts.tsv

LIEF's free edition reads no Objective-C metadata; that is held against LLVM's reader.
"""
import pathlib
import sys

import lief

lief.logging.disable()
PROCESSORS = {lief.MachO.Header.CPU_TYPE.ARM64: "arm64", lief.MachO.Header.CPU_TYPE.X86_64: "x86_64"}

for path in sorted(pathlib.Path(sys.argv[1]).rglob("*")):
    if path.suffix not in (".so", ".dylib"):
        continue
    file = lief.MachO.parse(str(path))
    if file is None:
        sys.exit(f"lief_counts: error: LIEF cannot read {path}")
    for image in file:
        # With opcodes, a place that is bound at the first call is adjusted before as well.
        places = {fixup.address for segment in image.segments for fixup in segment.relocations}
        places.update(binding.address for binding in image.bindings)
        print(path, PROCESSORS[image.header.cpu_type], len(places), sep="\t")
