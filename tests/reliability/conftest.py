"""The hostile server of the client's tests is at hand here too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "idx"))
