"""Starts Brownie in the project folder, from any path.

Brownie imports a script by its path with dots for slashes, which fails below a folder with a dot in its name. So the
one script there is stands ready under that name; it is loaded when first used, for it needs the compiled project.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

SCRIPT = Path(__file__).resolve().parent / "scripts" / "stage.py"

if __name__ == "__main__":
    folder = ".".join(SCRIPT.parts[1:-1])
    sys.modules[folder] = ModuleType(folder)
    sys.modules[folder].__path__ = [str(SCRIPT.parent)]  # where a second use finds it again
    name = f"{folder}.{SCRIPT.stem}"
    spec = importlib.util.spec_from_file_location(name, SCRIPT)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)

    def load(attribute):
        """What is first asked of the script loads it."""
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        del module.__getattr__
        spec.loader.exec_module(module)
        return getattr(module, attribute)

    module.__getattr__ = load

    from brownie._cli.__main__ import main

    sys.exit(main())
