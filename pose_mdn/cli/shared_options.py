"""Options that several commands have in common, declared once."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature

Command = Callable[..., None]


def with_options_of(make: Callable[..., object], *, as_argument: str) -> Callable[[Command], Command]:
    """Give a command the options of `make`, and what `make` makes of them as one argument.

    Args:
        make: Takes options as keywords and understands them.
        as_argument: The command's name for what `make` returns.
    """
    shared = signature(make).parameters

    def decorate(command: Command) -> Command:
        @wraps(command)
        def called(**given: object) -> None:
            made = make(**{name: given.pop(name) for name in shared})
            command(**given, **{as_argument: made})

        own = [each for each in signature(command).parameters.values() if each.name != as_argument]
        positional = [each for each in own if each.kind is not Parameter.KEYWORD_ONLY]
        keywords = [each for each in own if each.kind is Parameter.KEYWORD_ONLY]
        parameters = [*positional, *shared.values(), *keywords]
        # This is what typer reads; without it, it would see the command's own parameters only.
        called.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return decorate
