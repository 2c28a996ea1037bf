"""Is everything in the wheel that a site needs, and nothing else? check_wheel.py WHEEL

The two packages' files in git (templates, static files, translations, py.typed) and the wheel's have to be the same.
"""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("selfreg", "okta_devorg")


def main(wheel: str) -> int:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    kept = {name for name in listed if name and (ROOT / name).exists()}
    packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    for name in sorted(kept - packed):
        print(f"{Path(wheel).name}: {name} is missing")
    for name in sorted(packed - kept):
        print(f"{Path(wheel).name}: {name} does not belong here")
    if kept == packed:
        print(f"{Path(wheel).name}: {len(packed)} files, as in git")
    return 0 if kept == packed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
