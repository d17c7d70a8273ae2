"""The command line: `pose-mdn COMMAND`, with commands found by their entry points."""

import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer

from pose_mdn import __version__
from pose_mdn.errors import MissingExtraError, PoseMDNError

COMMAND_GROUP = "pose_mdn.commands"

EXIT_FAILED = 1
"""Some of the work failed; what could be done was."""
EXIT_USAGE = 2
"""Nothing was done, because what was asked cannot be."""

_EXTRAS = {"torch": "train", "onnxscript": "export", "onnx": "export", "matplotlib": "plots", "sklearn": "lecture"}
"""Optional top-level modules and the extra that installs them."""

_EPILOG = """
First steps: `pose-mdn demo` shows everything on a bundled clip.
Then `pose-mdn lift keypoints.npz -o hypotheses.npz` and `pose-mdn view hypotheses.npz -o report.html`.
`pose-mdn COMMAND --help` explains a command.
"""


def build_app() -> typer.Typer:
    """The application with every installed command."""
    app = typer.Typer(
        name="pose-mdn",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        epilog=_EPILOG,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for entry_point in entry_points(group=COMMAND_GROUP):
        _register(app, entry_point)
    return app


def main() -> None:
    """Run the command line; errors raised on purpose end in one line and exit code 2."""
    try:
        build_app()()
    except PoseMDNError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRAS:
            raise
        _fail(str(missing_extra(error)))


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError:
    """The error that says how to install an optional module."""
    module = (error.name or "").partition(".")[0]
    return MissingExtraError(
        f"this command needs {module}, which is not installed; "
        f"install it with: pip install 'pose-mdn[{_EXTRAS.get(module, module)}]'"
    )


def print_error(message: str) -> None:
    """One red line on stderr."""
    typer.secho(f"error: {' '.join(message.split())}", fg=typer.colors.RED, err=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pose-mdn {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """2D human keypoints in, a calibrated distribution over 3D poses out."""


def _register(app: typer.Typer, entry_point: EntryPoint) -> None:
    """Add a command; one that cannot be imported says why when it is called, and leaves the others alone."""
    try:
        entry_point.load()(app)
    except ModuleNotFoundError as error:
        reason = error

        @app.command(
            entry_point.name, help=f"(unavailable: {reason})", context_settings={"ignore_unknown_options": True}
        )
        def unavailable(_arguments: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
            raise missing_extra(reason)


def _fail(message: str) -> None:
    print_error(message)
    sys.exit(EXIT_USAGE)
