import re
from xml.etree import ElementTree

import numpy as np

from pose_mdn.skeletons import HUMAN36M17
from pose_mdn.visualization.pose_sheet import pose_sheet_svg


def test_every_bone_of_every_pose_is_drawn_once(standing_poses):
    svg = pose_sheet_svg(standing_poses[:5], [f"<{row}>" for row in range(5)], columns=3)
    root = ElementTree.fromstring(svg)
    lines = root.findall("{*}line")
    assert len(lines) == 5 * len(HUMAN36M17.bones)
    assert [text.text for text in root.findall("{*}text")] == [f"<{row}>" for row in range(5)]
    assert int(root.attrib["width"]) / 3 == len(re.findall("<rect", svg)) * 30


def test_bones_to_missing_joints_are_left_out(standing_poses):
    pose = standing_poses[:1].astype(float)
    pose[0, HUMAN36M17.index("r_wrist")] = np.nan
    lines = ElementTree.fromstring(pose_sheet_svg(pose)).findall("{*}line")
    assert len(lines) == len(HUMAN36M17.bones) - 1
