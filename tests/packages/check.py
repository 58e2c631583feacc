"""Looks into what scripts/macos/package.sh made, and installs it: run by `package.sh --check`.

The wheel for this machine is installed as a user would, and run. Those for macOS are installed for their
platform into a folder, since they cannot run here.

AGXRUN_DIST     the folder with the packages
AGXRUN_MACOS    build.sh's products, by architecture
AGXRUN_VERSION  what they must say they are
AGXRUN_PACKED   all, macos or linux: what was packed
"""

import base64
import csv
import hashlib
import os
import pathlib
import re
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

DIST = pathlib.Path(os.environ["AGXRUN_DIST"])
MACOS = pathlib.Path(os.environ["AGXRUN_MACOS"])
VERSION = os.environ["AGXRUN_VERSION"]
PACKED = os.environ["AGXRUN_PACKED"]
ROOT = pathlib.Path(__file__).resolve().parents[2]

# mach/machine.h
CPU_TYPES = {0x01000007: "x86_64", 0x0100000C: "arm64"}
# mach-o/loader.h
MH_MAGIC_64 = 0xFEEDFACF
MH_EXECUTE, MH_DYLIB = 2, 6
LC_CODE_SIGNATURE, LC_BUILD_VERSION = 0x1D, 0x32
# mach-o/fat.h
FAT_MAGIC = 0xCAFEBABE


# Where a prefix has what shells and man read.
COMPLETIONS = {
    "bash": "share/bash-completion/completions/agxrun",
    "zsh": "share/zsh/site-functions/_agxrun",
    "fish": "share/fish/vendor_completions.d/agxrun.fish",
}
PAGES = "share/man/man1/"


def manual(names, read):
    """The manual pages among a package's files: every page that another one names, and no other. `read` gives a file's bytes."""
    found = {name for name in names if name.startswith(PAGES)}
    wanted, seen = {"agxrun"}, set()
    while wanted - seen:
        page = (wanted - seen).pop()
        seen.add(page)
        text = read(f"{PAGES}{page}.1").decode().replace("\\-", "-")
        wanted |= set(re.findall(r"^(agxrun(?:-[a-z]+)+)\(1\)", text, re.MULTILINE))
    assert found == {f"{PAGES}{page}.1" for page in seen}, sorted(found)
    assert f"{PAGES}agxrun-run.1" in found, sorted(found)
    return found


def wheel(platform):
    """The wheel that is for a platform: a universal one is for its parts as well, and has more tags."""
    found = [path for path in DIST.glob(f"agxrun-{VERSION}-*.whl") if platform in tags(path)]
    assert found, f"no wheel for {platform} in {DIST}"
    return min(found, key=lambda path: len(tags(path)))


def tags(path):
    """The platforms in a wheel's name."""
    return path.stem.split("-")[-1].split(".")


def slices(data):
    """The Mach-O files in a universal one, or the file itself."""
    if struct.unpack_from(">I", data)[0] != FAT_MAGIC:
        return [data]
    (count,) = struct.unpack_from(">I", data, 4)
    entries = [struct.unpack_from(">5I", data, 8 + 20 * index) for index in range(count)]
    return [data[offset : offset + size] for _, _, offset, size, _ in entries]


def described(data):
    """Architecture, file type, least macOS, and whether it is signed, of a Mach-O file for one architecture."""
    magic, cpu, _, kind, commands = struct.unpack_from("<5I", data)
    assert magic == MH_MAGIC_64, hex(magic)
    at, least, signed = 32, None, False
    for _ in range(commands):
        command, size = struct.unpack_from("<2I", data, at)
        if command == LC_BUILD_VERSION:
            (version,) = struct.unpack_from("<I", data, at + 12)
            least = (version >> 16, version >> 8 & 0xFF)
        signed |= command == LC_CODE_SIGNATURE
        at += size
    return CPU_TYPES[cpu], kind, least, signed


def run(*command, **options):
    """A command's standard output; a failure shows what it said."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def pip(*arguments):
    """pip without an index: nothing but the file that is named may be installed."""
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", *arguments)


class Wheels(unittest.TestCase):
    """What holds for every wheel."""

    def setUp(self):
        self.wheels = sorted(DIST.glob(f"agxrun-{VERSION}-*.whl"))
        self.assertTrue(self.wheels)

    def each(self):
        for path in self.wheels:
            with self.subTest(wheel=path.name), zipfile.ZipFile(path) as archive:
                yield path, archive

    def test_the_record_names_every_file_with_its_hash_and_size(self):
        for _, archive in self.each():
            record = f"agxrun-{VERSION}.dist-info/RECORD"
            rows = list(csv.reader(archive.read(record).decode().splitlines()))
            self.assertEqual(sorted(row[0] for row in rows), sorted(archive.namelist()))
            for name, digest, size in rows:
                if name == record:
                    continue
                data = archive.read(name)
                sum256 = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                self.assertEqual((digest, size), (f"sha256={sum256}", str(len(data))), name)

    def test_it_holds_program_library_package_and_header_and_nothing_else(self):
        modules = [str(path.relative_to(ROOT / "python")) for path in (ROOT / "python").rglob("*.py")]
        self.assertIn("agxrun/pytest_plugin.py", modules)
        for path, archive in self.each():
            suffix = "so" if any("linux" in tag for tag in tags(path)) else "dylib"
            data, info = f"agxrun-{VERSION}.data", f"agxrun-{VERSION}.dist-info"
            prefix = f"{data}/data/"
            shared = [name[len(prefix) :] for name in archive.namelist() if name.startswith(prefix)]
            pages = manual(shared, lambda name: archive.read(prefix + name))
            expected = [
                *[prefix + name for name in [*COMPLETIONS.values(), *pages]],
                f"{data}/scripts/agxrun",
                f"{data}/data/libexec/agxrun/libagx_fix.{suffix}",
                f"{data}/data/include/agx_fix.h",
                f"{data}/purelib/agx_fix_check.py",
                f"{info}/METADATA",
                f"{info}/WHEEL",
                f"{info}/entry_points.txt",
                f"{info}/RECORD",
                f"{info}/licenses/LICENSE",
                *modules,
            ]
            self.assertEqual(sorted(archive.namelist()), sorted(expected))
            mode = stat.S_IMODE(archive.getinfo(f"{data}/scripts/agxrun").external_attr >> 16)
            self.assertEqual(mode, 0o755)

    def test_pytest_is_told_of_the_plugin(self):
        for _, archive in self.each():
            points = archive.read(f"agxrun-{VERSION}.dist-info/entry_points.txt").decode().split()
            self.assertEqual(points, ["[pytest11]", "agxrun=agxrun.pytest_plugin"])

    def test_the_check_is_the_same_by_both_its_names(self):
        for _, archive in self.each():
            alone = archive.read(f"agxrun-{VERSION}.data/purelib/agx_fix_check.py")
            self.assertEqual(archive.read("agxrun/fix_check.py"), alone)

    def test_its_tags_and_metadata_are_what_its_name_says(self):
        for path, archive in self.each():
            about = archive.read(f"agxrun-{VERSION}.dist-info/METADATA").decode()
            head = about.split("\n\n")[0].splitlines()
            for line in ["Name: agxrun", f"Version: {VERSION}", "License-Expression: MIT", "Requires-Python: >=3.8"]:
                self.assertIn(line, head)
            self.assertFalse([line for line in head if line.startswith("Requires-Dist")])
            lines = archive.read(f"agxrun-{VERSION}.dist-info/WHEEL").decode().splitlines()
            said = sorted(line.split(": ")[1] for line in lines if line.startswith("Tag: "))
            self.assertEqual(said, sorted(f"py3-none-{tag}" for tag in tags(path)))

    def test_no_file_names_a_folder_of_this_machine(self):
        # A home of `/` or `/root` alone would be found in any file that speaks of the system's folders.
        here = {str(ROOT), os.path.join(os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo")), "registry")}
        for _, archive in self.each():
            for name in archive.namelist():
                data = archive.read(name)
                for folder in here:
                    self.assertNotIn(folder.encode(), data, name)

    def test_the_same_commit_gives_the_same_times(self):
        for _, archive in self.each():
            times = {entry.date_time for entry in archive.infolist()}
            self.assertEqual(len(times), 1, times)


@unittest.skipIf(PACKED == "macos", "not packed")
class OnThisMachine(unittest.TestCase):
    """The wheel for this machine, installed and run where there is no compiler."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.root.cleanup)
        cls.folder = pathlib.Path(cls.root.name)
        cls.venv = cls.folder / "venv"
        run(sys.executable, "-m", "venv", "--without-pip", str(cls.venv))
        run(
            sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(cls.venv / "bin/python"),
            "install", "--quiet", "--no-index", str(wheel("linux_x86_64")),
        )  # fmt: skip
        (cls.folder / "home").mkdir()
        (cls.folder / "reports").mkdir()

    def agxrun(self, *arguments):
        env = {"PATH": f"{self.venv}/bin:/usr/bin:/bin", "HOME": str(self.folder / "home")}
        # No cargo: a library that is not found cannot be built in secret.
        env["CARGO"] = "/nonexistent/cargo"
        return run("agxrun", *arguments, env=env, cwd=self.folder)

    def test_it_says_its_version(self):
        self.assertEqual(self.agxrun("--version").strip(), f"agxrun {VERSION}")

    def test_it_finds_the_library_that_came_with_it(self):
        found = pathlib.Path(self.agxrun("fix", "path").strip())
        self.assertEqual(found, (self.venv / "libexec/agxrun/libagx_fix.so").resolve())

    def test_the_library_arrives_in_a_target(self):
        reports = str(self.folder / "reports")
        self.agxrun("--require-fix", "--reports-dir", reports, "--", "true")
        # The module that came along says so from inside: it ends with 0 where the library is loaded.
        python = str(self.venv / "bin/python")
        self.agxrun("--require-fix", "--reports-dir", reports, "--", python, "-m", "agx_fix_check")
        active = "import agxrun, sys; sys.exit(not agxrun.active())"
        self.agxrun("--require-fix", "--reports-dir", reports, "--", python, "-c", active)

    def test_the_package_finds_the_program_that_came_with_it(self):
        python = str(self.venv / "bin/python")
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder / "home")}
        found = run(python, "-c", "import agxrun.binary; print(agxrun.binary.find())", env=env, cwd=self.folder)
        self.assertEqual(pathlib.Path(found.strip()).resolve(), (self.venv / "bin/agxrun").resolve())

    def test_shells_and_man_are_given_what_the_program_prints(self):
        for shell, place in COMPLETIONS.items():
            self.assertEqual((self.venv / place).read_text(), self.agxrun("completions", shell), shell)
        self.agxrun("man", str(self.folder / "pages"))
        printed = {path.name: path.read_bytes() for path in (self.folder / "pages").iterdir()}
        installed = {path.name: path.read_bytes() for path in (self.venv / PAGES).iterdir()}
        self.assertEqual(printed, installed)

    def test_bash_completes_a_command(self):
        script = 'source "$1"; COMP_WORDS=(agxrun check-cr) COMP_CWORD=1; _agxrun agxrun check-cr agxrun; echo "${COMPREPLY[*]}"'
        completed = run("bash", "-c", script, "bash", str(self.venv / COMPLETIONS["bash"]))
        self.assertEqual(completed.strip(), "check-crashes")

    def test_it_lists_the_policies_and_lays_them_out(self):
        self.assertIn("recommended by its author", self.agxrun("fix", "list"))
        laid = self.agxrun("fix", "build", "--all", str(self.folder / "versions")).splitlines()
        self.assertIn(str(self.folder / "versions/libagx_fix_v2_9.so"), laid)

    def test_uninstalling_leaves_nothing(self):
        other = self.folder / "other"
        run(sys.executable, "-m", "venv", "--without-pip", str(other))
        before = {path for path in other.rglob("*") if "__pycache__" not in path.parts}
        for command in (["install", "--no-index", str(wheel("linux_x86_64"))], ["uninstall", "--yes", "agxrun"]):
            run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(other / "bin/python"), *command)
        files = {path for path in other.rglob("*") if "__pycache__" not in path.parts and path.is_file()}
        self.assertEqual(files - before, set())


@unittest.skipIf(PACKED == "linux", "not packed")
class ForMacOS(unittest.TestCase):
    """The wheels for macOS, installed as for a Mac, and the archive."""

    WHEELS = {"macosx_11_0_arm64": {"arm64"}, "macosx_11_0_universal2": {"arm64", "x86_64"}}
    LIBRARY = "libexec/agxrun/libagx_fix.dylib"

    def install(self, platform):
        target = tempfile.TemporaryDirectory()
        self.addCleanup(target.cleanup)
        pip("--platform", platform, "--only-binary=:all:", "--no-deps", "--target", target.name, str(wheel(platform)))
        return pathlib.Path(target.name)

    def test_each_installs_for_its_platform_and_for_no_other(self):
        for platform in self.WHEELS:
            with self.subTest(platform=platform):
                there = self.install(platform)
                self.assertTrue(os.access(there / "bin/agxrun", os.X_OK))
                for place in [self.LIBRARY, "include/agx_fix.h", "agx_fix_check.py", "agxrun/pytest_plugin.py",
                              f"{PAGES}agxrun.1", *COMPLETIONS.values()]:  # fmt: skip
                    self.assertTrue((there / place).is_file(), place)
        with tempfile.TemporaryDirectory() as target, self.assertRaises(AssertionError) as refused:
            pip("--target", target, str(wheel("macosx_11_0_arm64")))
        self.assertIn("not a supported wheel", str(refused.exception))

    def test_an_older_macos_gets_none(self):
        with tempfile.TemporaryDirectory() as target, self.assertRaises(AssertionError):
            pip("--platform", "macosx_10_15_x86_64", "--only-binary=:all:", "--no-deps", "--target", target,
                str(wheel("macosx_11_0_universal2")))  # fmt: skip

    def test_they_hold_what_was_built_unchanged(self):
        for platform in self.WHEELS:
            there = self.install(platform)
            for part in slices((there / "bin/agxrun").read_bytes()):
                built = MACOS / described(part)[0] / "agxrun"
                self.assertTrue(part == built.read_bytes(), f"{platform}: agxrun differs from {built}")
            library = MACOS / "universal/libagx_fix.dylib"
            self.assertTrue((there / self.LIBRARY).read_bytes() == library.read_bytes(), f"{platform}: not {library}")

    def test_program_and_library_are_signed_mach_o_of_the_right_kind(self):
        for platform, architectures in self.WHEELS.items():
            there = self.install(platform)
            program = [described(part) for part in slices((there / "bin/agxrun").read_bytes())]
            library = [described(part) for part in slices((there / self.LIBRARY).read_bytes())]
            self.assertEqual({found[0] for found in program}, architectures)
            self.assertEqual({found[0] for found in library}, {"arm64", "x86_64"})
            for found in program:
                self.assertEqual(found[1:], (MH_EXECUTE, (11, 0), True), platform)
            for found in library:
                self.assertEqual(found[1:], (MH_DYLIB, (11, 0), True), platform)

    def test_the_archive_is_whole_and_says_nothing_of_who_made_it(self):
        archive = DIST / f"agxrun-{VERSION}-macos.tar.gz"
        said = archive.with_name(archive.name + ".sha256").read_text().split()
        self.assertEqual(said, [hashlib.sha256(archive.read_bytes()).hexdigest(), archive.name])
        top = f"agxrun-{VERSION}-macos"
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            names = {member.name for member in members if member.isfile()}
            expected = {"agxrun", "libagx_fix.dylib", "README.md", "LICENSE", "LIMITATIONS.md", "CHANGELOG.md",
                        "scripts/agx_fix_check.py", "include/agx_fix.h", *COMPLETIONS.values()}  # fmt: skip
            inside = [name[len(top) + 1 :] for name in names]
            expected |= manual(inside, lambda name: tar.extractfile(f"{top}/{name}").read())
            self.assertEqual(names, {f"{top}/{name}" for name in expected})
            self.assertEqual([member.name for member in members], sorted(member.name for member in members))
            self.assertEqual({(m.uid, m.gid, m.uname, m.gname) for m in members}, {(0, 0, "", "")})
            self.assertEqual(len({member.mtime for member in members}), 1)
            for name in ["agxrun", "libagx_fix.dylib"]:
                member = tar.getmember(f"{top}/{name}")
                self.assertEqual(member.mode, 0o755)
                self.assertEqual(tar.extractfile(member).read(), (MACOS / "universal" / name).read_bytes())


if __name__ == "__main__":
    unittest.main(verbosity=2)
