import sys
from pathlib import Path

from . import HERE, read_recordings, write_shapes

for folder in sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_dir()):
    write_shapes(HERE / f"{folder.name}.txt", read_recordings(folder))
