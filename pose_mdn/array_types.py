"""The array type of mathematics that is written once for NumPy and for torch, and the letters of its axes.

Letters in docstrings: B batch, N rows of a file, T frames, M hypotheses (mixture components), J joints, Z latent.
"""

from typing import Any

Array = Any
"""An array of any library that follows the array API standard.

The standard has no static type yet, and a protocol that lists its operators would hide typing errors as well as `Any`
does; shapes, units and frames are therefore in the docstrings, and both libraries in the tests.
"""
