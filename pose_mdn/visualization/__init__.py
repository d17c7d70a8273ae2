"""Looking at hypotheses: one self-contained HTML page, and a table for the terminal."""

from pose_mdn.visualization.html_report import ReportSummary as ReportSummary
from pose_mdn.visualization.html_report import write_report as write_report
from pose_mdn.visualization.table import hypotheses_table as hypotheses_table
