"""Putting a page together: a template with its styles, its scripts and its data."""

import html
from functools import cache
from importlib.resources import files

from pose_mdn.visualization.payload import Payload, encode_array, encode_description


def render_page(
    template: str,
    *,
    styles: tuple[str, ...],
    scripts: tuple[str, ...],
    title: str,
    payload: Payload,
    more_data: str = "",
    back: str = "",
) -> str:
    """The page as text.

    Args:
        template: File with the placeholders title, style, back, data and script in double braces.
        styles: Files, concatenated in this order.
        scripts: Files, concatenated in this order into one scope; each may use what those before it define.
        title: Heading.
        payload: What is shown.
        more_data: Further elements that hold data.
        back: Address of the page that this one is reached from; it has then a link to there, in place of `back`.
    """
    parts = {
        "title": html.escape(title),
        "style": _text(styles),
        "back": f'<a class="back" href="{html.escape(back)}">← All clips</a>' if back else "",
        "data": _data_elements(payload) + more_data,
        "script": f'"use strict";\n(() => {{\n{_text(scripts)}\n}})();',
    }
    head, *pieces = _text((template,)).split("{{")
    # Split once rather than replace in turn, so that a placeholder's text inside a title is left alone.
    return head + "".join(parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces))


@cache
def _text(names: tuple[str, ...]) -> str:
    """Files of the package, one after another; kept, because a batch writes thousands of pages."""
    folder = files("pose_mdn.visualization") / "report"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _data_elements(payload: Payload) -> str:
    elements = [
        f'<script type="application/json" id="description">{encode_description(payload.description)}</script>',
    ]
    for name, array in payload.arrays.items():
        kind = "int32" if array.dtype.kind == "i" else "float32"
        shape = ",".join(str(length) for length in array.shape)
        elements.append(
            f'<script type="text/plain" data-array="{name}" data-kind="{kind}" data-shape="{shape}">'
            f"{encode_array(array)}</script>"
        )
    return "\n".join(elements)
