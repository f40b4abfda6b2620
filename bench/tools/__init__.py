"""Tools of other makers for developers, each kind in an environment of its own: never in Alfred's."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent


def python_with(name: str) -> Path:
    """The Python of an environment that has what `<name>.txt` pins; it is made at the first call, of this Python."""
    pins = HERE / f"{name}.txt"
    wanted = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "alfred" / f"tools-{name}-{wanted}"
    python, done = folder / "bin" / "python", folder / "complete"
    if not done.exists():
        print(f"preparing {folder} (once)", file=sys.stderr, flush=True)
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--requirement", str(pins)], check=True)
        done.touch()
    return python
