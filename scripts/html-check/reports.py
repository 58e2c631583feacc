#!/usr/bin/env python3
"""Makes reports for pages to be looked at, out of a public one.

reports.py hostile REPORT FOLDER: one for each way in which a text could leave its place on a page.
reports.py season REPORT FOLDER [COUNT]: the published crashes of the AGX race over six weeks, COUNT in all (40 if not given).

REPORT is an .ips file of a crash. What is written is made up: its frames are those that reports of such crashes were published with.
"""
import copy
import datetime
import json
import pathlib
import sys

WAYS_OUT = [
    "<script>alert(1)</script>",
    '</pre></section><img src=x onerror="alert(1)">',
    '" onmouseover="alert(1)" autofocus onfocus="alert(2)',
    "</title></style><meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "\x1b[31m\u202egnp.exe\u2066\u200b",
    "W" * 100_000,
    "a long name of many words " * 200,
    "</p>&lt;b&gt;&amp;&#60;" * 20,
]

# Symbol, image and address of the innermost frame, process, and how many of ten crashes are these.
CRASHES = [
    ("-[AGXG16XFamilyComputeContext setComputePipelineState:]", "AGXMetalG16X", 0x5C8, "python3.12", 5),
    ("AGX::SpillInfoGen3::allocateUSCSpillBuffer(unsigned int)", "AGXMetalG16X", 0x184, "python3.12", 3),
    ("-[AGXG16XFamilyComputeContext dispatchThreads:threadsPerThreadgroup:]", "AGXMetalG16X", 0x5F4, "mlx_lm.generate", 1),
    ("mlx::core::array::eval()", "libmlx.dylib", 0x10, "mlx_lm.generate", 1),
]


def read(path):
    head, body = path.read_text().split("\n", 1)
    return json.loads(head), json.loads(body)


def write(path, head, body, number):
    incident = f"{number:08X}-0000-4000-8000-000000000000"
    head["incident_id"] = body["incident"] = incident
    path.write_text(json.dumps(head) + "\n" + json.dumps(body))


def spoiled(value, text):
    """The same structure with every text replaced, but for times, types and identifiers."""
    kept = {"timestamp", "captureTime", "procLaunch", "bug_type", "incident", "incident_id", "uuid", "type", "signal"}
    if isinstance(value, dict):
        return {key: inner if key in kept else spoiled(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [spoiled(inner, text) for inner in value]
    return text if isinstance(value, str) else value


def hostile(head, body, folder, _):
    for number, text in enumerate(WAYS_OUT):
        write(folder / f"hostile_{number}<b>.ips", spoiled(head, text), spoiled(body, text), number)


def season(head, body, folder, count):
    weights = [crash for crash in CRASHES for _ in range(crash[4])]
    start = datetime.datetime(2026, 10, 1, 9, 0, tzinfo=datetime.timezone.utc)
    # A body of this size is that of the small reports that a test makes; the other threads tell nothing here.
    body["threads"] = [body["threads"][body["faultingThread"]]]
    body["faultingThread"] = 0
    for number in range(count):
        symbol, image, address, process, _ = weights[(number * 7) % len(weights)]
        # Crashes come in bursts, as test runs do.
        when = start + datetime.timedelta(days=(number * number) % 43, minutes=(number * 37) % 600)
        this_head, this_body = copy.deepcopy(head), copy.deepcopy(body)
        stamp = when.strftime("%Y-%m-%d %H:%M:%S.0000 +0000")
        this_head["timestamp"] = when.strftime("%Y-%m-%d %H:%M:%S.00 +0000")
        this_head["app_name"] = this_head["name"] = this_body["procName"] = process
        this_head["os_version"] = "macOS 26.1 (25B78)" if number % 3 else "macOS 15.6.1 (24G90)"
        this_body["captureTime"] = this_body["procLaunch"] = stamp
        this_body["pid"] = 400 + number
        this_body["exception"] = {
            "codes": f"0x0000000000000001, {address:#018x}",
            "type": "EXC_BAD_ACCESS",
            "signal": "SIGSEGV",
            "subtype": f"KERN_INVALID_ADDRESS at {address:#018x}",
        }
        this_body.pop("vmRegionInfo", None)
        this_body["usedImages"].append({"name": image, "path": f"/made/up/{image}", "base": 0x190000000, "size": 0x100000, "source": "P"})
        frame = {"imageIndex": len(this_body["usedImages"]) - 1, "imageOffset": 4096 + address, "symbol": symbol, "symbolLocation": 32}
        this_body["threads"][0]["frames"].insert(0, frame)
        this_body["threads"][0]["triggered"] = True
        write(folder / f"{process}-{when.strftime('%Y-%m-%d-%H%M%S')}.{number:04}.ips", this_head, this_body, number)


def main():
    kind, report, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 40
    folder.mkdir(parents=True, exist_ok=True)
    head, body = read(report)
    {"hostile": hostile, "season": season}[kind](head, body, folder, count)


main()
