"""Hand the host's pip settings to an image build.

Writes every setting that pip sees on this machine (files and `PIP_*` variables) into one `pip.conf` and prints the
local folders that they name, one per line, so that the build can mount both.

Usage: python3 host_pip_settings.py PIP_CONF_TO_WRITE
"""

import ast
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ABOUT_THE_HOST_ONLY = {"cache-dir", "config-file", "log", "prefix", "require-virtualenv", "target"}
"""Where to install and what to keep on the host; inside an image these would be wrong."""


def read_host_settings() -> ConfigParser:
    """Return pip's effective settings; variables, listed by pip under `:env:`, override the files' section `global`."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    lines = [re.fullmatch(r"(:env:|[\w-]+)\.([\w-]+)=(.*)", line) for line in listing.splitlines()]
    found = [line.groups() for line in lines if line is not None]
    settings = ConfigParser(interpolation=None)
    for section, key, literal in sorted(found, key=lambda setting: setting[0] == ":env:"):
        if key not in ABOUT_THE_HOST_ONLY:
            target = "global" if section == ":env:" else section
            settings.read_dict({target: {key: str(ast.literal_eval(literal))}})
    return settings


def local_folders(settings: ConfigParser) -> list[str]:
    """Return the existing folders that the settings name as a path or a `file:` address.

    The pages of a local index usually point to files in a sibling folder, so an address brings its parent folder along.
    """
    words = [word for section in settings.sections() for value in settings[section].values() for word in value.split()]
    plain = [Path(word) for word in words if word.startswith("/")]
    indexes = [Path(unquote(urlsplit(word).path)).parent for word in words if word.startswith("file:")]
    return sorted({str(path) for path in plain + indexes if path.is_dir() and path != Path("/")})


def main() -> None:
    """Write the file named by the first argument and print the folders."""
    settings = read_host_settings()
    with Path(sys.argv[1]).open("w") as stream:
        settings.write(stream)
    print("\n".join(local_folders(settings)))


if __name__ == "__main__":
    main()
