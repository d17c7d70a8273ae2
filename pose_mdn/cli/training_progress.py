"""What a person sees while a model trains."""

import math
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from pose_mdn.config import RunConfig

_LOG_EVERY_S = 30.0


class TrainingProgress:
    """A bar with rate, time left and the newest figures; plain lines twice a minute where there is no terminal."""

    def __init__(self, config: RunConfig, *, start: int) -> None:
        self._config = config
        self._start_step, self._start_time = start, time.monotonic()
        self._last_line = -math.inf
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("[bold]train[/]"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]} rows/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("train", total=config.steps, completed=start, rate="-", figures="")

    def __enter__(self) -> "TrainingProgress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, step: int, figures: dict[str, float]) -> None:
        """Show a step's figures."""
        now = time.monotonic()
        rate = (step - self._start_step) * self._config.batch_size / max(now - self._start_time, 1e-9)
        text = "  ".join(f"{name} {value:.2f}" for name, value in figures.items())
        self._bar.update(self._task, completed=step, rate=f"{rate:,.0f}", figures=text)
        if not self._console.is_terminal and now - self._last_line >= _LOG_EVERY_S:
            self._last_line = now
            left = (self._config.steps - step) * self._config.batch_size / max(rate, 1e-9)
            self._console.print(
                f"step {step}/{self._config.steps}  {rate:,.0f} rows/s  {left / 60:.0f} min left  {text}",
                highlight=False,
                soft_wrap=True,
            )
