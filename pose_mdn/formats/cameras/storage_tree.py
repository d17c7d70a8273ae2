"""Files of OpenCV's storage, in YAML, JSON or XML, as plain dictionaries, lists, numbers and texts.

ROS writes nearly the same YAML without OpenCV's header, and people write the same JSON with Python; both pass.
"""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import cv2

from pose_mdn.formats.faults import fault, shown, unreadable

Tree = dict[str, object]

_LARGEST_FILE = 4 * 2**20
"""Bytes; a calibration with all pictures of its board is far smaller."""
_DEEPEST = 12
_HEADER = "%YAML:1.0\n---\n"
_BLOCK_SEQUENCES = re.compile(rf"(?:- +){{{_DEEPEST}}}")


def read_tree(path: Path) -> Tree:
    """The values of a file by key.

    Raises:
        FormatError: The file cannot be read, or is not what its suffix says.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) > _LARGEST_FILE:
        cure = "keep only the cameras in it"
        raise fault(path, expected=f"at most {_LARGEST_FILE} bytes of calibration", got="more", cure=cure)
    kind = {".json": "JSON", ".xml": "XML"}.get(path.suffix.lower(), "YAML")
    read = {"JSON": _from_json, "XML": _from_xml, "YAML": _from_yaml}[kind]
    try:
        tree = read(content.decode("utf-8-sig"))
    except (ValueError, LookupError, SyntaxError, SystemError, RecursionError, cv2.error) as error:
        reason = shown(str(error.__cause__ or error))
        cure = "write it again with cv2.FileStorage"
        raise fault(path, expected=f"a {kind} file", got=f"damaged or other text ({reason})", cure=cure) from error
    if not isinstance(tree, dict):
        raise fault(path, expected="named values", got=f"a {type(tree).__name__}", cure="name the cameras' matrices")
    return tree


def _from_json(text: str) -> object:
    return json.loads(text)


def _from_xml(text: str) -> object:
    root = ElementTree.fromstring(text.encode("utf-8"))
    if root.tag != "opencv_storage":
        raise ValueError(f"<{root.tag}> instead of <opencv_storage>")
    return _element(root, _DEEPEST)


def _element(element: ElementTree.Element, depth: int) -> object:
    if depth == 0:
        raise ValueError("too deeply nested")
    if not len(element):
        return _text(element.text or "")
    if all(child.tag == "_" for child in element):
        return [_element(child, depth - 1) for child in element]
    return {child.tag: _element(child, depth - 1) for child in element}


def _text(text: str) -> object:
    """A number, several, or else the text itself."""
    words = text.split()
    try:
        values = [float(word) for word in words]
    except ValueError:
        return text.strip().strip('"')
    return values[0] if len(values) == 1 else values


def _from_yaml(text: str) -> object:
    # OpenCV's parser calls itself for every level, and ends the whole process when there are too many.
    if _bracket_depth(text) > _DEEPEST or _BLOCK_SEQUENCES.search(text):
        raise ValueError("too deeply nested")
    if "\0" in text:
        raise ValueError("not text")
    if not text.startswith("%YAML"):
        text = _HEADER + text.removeprefix("---")
    storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    try:
        return _node(storage.root(), _DEEPEST)
    finally:
        storage.release()


def _bracket_depth(text: str) -> int:
    deepest = depth = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if bracket in "[{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def _node(node: cv2.FileNode, depth: int) -> object:
    if depth == 0:
        raise ValueError("too deeply nested")
    if node.isMap():
        return {key: _node(node.getNode(key), depth - 1) for key in node.keys()}  # noqa: SIM118 - it is no dict
    if node.isSeq():
        return [_node(node.at(index), depth - 1) for index in range(node.size())]
    if node.isInt() or node.isReal():
        return float(node.real())
    return str(node.string()) if node.isString() else None
