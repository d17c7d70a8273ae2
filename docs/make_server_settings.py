"""Write docs/server_settings.md: every setting of the server, from the dataclass that holds them.

python docs/make_server_settings.py            write the page
python docs/make_server_settings.py --check    write nothing; fail if the page is out of date
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from pose_mdn_server.config_sources import SECTIONS, Section, settings
from pose_mdn_server.config_sources.values import spelt

PAGE = Path(__file__).resolve().parent / "server_settings.md"

HEAD = """\
# Settings of the server

<!-- Written by docs/make_server_settings.py from server/pose_mdn_server/config.py. Do not edit. -->

A setting has one name in three spellings: `max_batch` below `[limits]` in a TOML file, `--max-batch` on the command
line, `POSE_MDN_MAX_BATCH` in the environment. A flag is stronger than a variable, a variable is stronger than the file,
and the file is stronger than the default.

```toml
# server.toml, to be used as: pose-mdn serve --config server.toml
[network]
host = "0.0.0.0"
http_port = "none"

[limits]
workers = 4
max_batch = 64

[security]
tls_certificate = "server.pem"
tls_key = "server.key"
tokens = "tokens.toml"
```

- `--config FILE` or `POSE_MDN_CONFIG` names the file. Its keys stand in the tables below; an unknown or misplaced one
  is refused, and the message says what was probably meant. Relative paths in it start from its own folder.
- What may be left out is switched off with `none`. Truth values are `true` and `false`, in flags `--reflection` and
  `--no-reflection`. Several texts are a list in the file, and separated by commas elsewhere. Empty variables are
  passed over.
- `pose-mdn serve --print-config` prints what would hold, every value with its source, in the form of the file.
- An error names the source: `max_batch from environment POSE_MDN_MAX_BATCH: expected a whole number, got 'x'`.
- On SIGHUP the file is read again. Settings marked *reloads* then change in the running server; the log names the
  others that differ, which wait for a restart. Whether there is encryption, and whether there are
  tokens, stays as it was.
"""


def page() -> str:
    """The page's Markdown."""
    return HEAD + "".join(f"{line}\n" for section in SECTIONS for line in _section(section))


def _section(section: Section) -> Iterator[str]:
    yield ""
    yield f"## {section.title}"
    yield ""
    yield f"| `[{section.name}]` | flag | variable | default | meaning |"
    yield "|---|---|---|---|---|"
    for setting in settings().values():
        if setting.section is section:
            reloads = " *reloads*" if setting.live else ""
            default = f"`{spelt(setting.default)}`" if setting.default not in {"", ()} else ""
            flag = f"{setting.flag} {setting.placeholder}".rstrip()
            variable = f"`{setting.variable}`" if setting.from_environment else ""
            meaning = setting.meaning.replace("|", "\\|")
            yield f"| `{setting.name}` | `{flag}` | {variable} | {default} | {meaning}{reloads} |"


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page():
        sys.exit(f"{PAGE.name} is out of date; run: python docs/{Path(__file__).name}")


if __name__ == "__main__":
    main()
