/** Columns of the table: what stands in them, how they sort, which flags colour them. */

const NONE = "–";

function percent(share) {
  if (share === null) return NONE;
  const value = 100 * share;
  if (value === 0 || value === 100) return `${value} %`;
  // Nothing that is there is rounded to nothing, and nothing that is incomplete to all.
  if (value < 0.1) return "< 0.1 %";
  if (value > 99.9) return "> 99.9 %";
  return `${value < 10 || value > 99 ? value.toFixed(1) : Math.round(value)} %`;
}

/** An error as part of the size; garbage may be off by many sizes. */
const ofSize = (share) => (share !== null && share > 1 ? "> 100 %" : percent(share));

/** Two digits, or whole pixels. */
const pixels = (value) => (value === null ? "" : `${value < 9.95 ? value.toFixed(1) : count(Math.round(value))} px`);

function duration(seconds) {
  if (seconds === null) return "";
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const count = (number) => number.toLocaleString("en");
const joint = (name) => name.replace(/^l_/, "left ").replace(/^r_/, "right ").replace(/_/g, " ");

/**
 * `value` is what sorts, `text` what is shown, `more` stands smaller beneath, `note` is what a resting pointer tells;
 * `descending` says how the first click sorts: what is worst comes first.
 */
const COLUMNS = [
  { key: "name", title: "Clip", value: (clip) => clip.order, descending: false },
  {
    key: "frames", title: "Frames", value: (clip) => clip.frames, text: (clip) => count(clip.frames),
    more: (clip) => duration(clip.duration), descending: true,
  },
  { key: "people", title: "People", value: (clip) => clip.people, text: (clip) => count(clip.people), descending: true },
  {
    key: "lifted", title: "Lifted", value: (clip) => clip.lifted_share, text: (clip) => percent(clip.lifted_share),
    note: (clip) => `${count(clip.lifted)} of ${count(clip.rows)} rows; nobody in ${count(clip.nobody)}`,
    flags: ["nothing lifted", "refused rows", "nobody"], descending: false,
  },
  {
    key: "error", title: "Off picture", value: (clip) => clip.error, text: (clip) => ofSize(clip.error),
    more: (clip) => pixels(clip.error_px),
    note: (clip) => `95 % of the rows below ${ofSize(clip.error_p95)} of the person's size, ${pixels(clip.error_p95_px)}`,
    flags: ["reprojection"], descending: true,
  },
  {
    key: "missing", title: "Missing", value: (clip) => clip.missing, text: (clip) => percent(clip.missing),
    note: (clip) => (clip.worst_joint ? `${joint(clip.worst_joint)} in ${percent(clip.worst_joint_share)} of the rows` : ""),
    flags: ["missing joints"], descending: true,
  },
  {
    key: "doubtful", title: "No person", value: (clip) => clip.doubtful, text: (clip) => percent(clip.doubtful),
    flags: ["not a person"], descending: true,
  },
  {
    key: "implausible", title: "Implausible", value: (clip) => clip.implausible, text: (clip) => percent(clip.implausible),
    note: (clip) => (clip.worst_limit ? `mostly ${joint(clip.worst_limit)}` : ""),
    flags: ["implausible"], descending: true,
  },
  {
    key: "depth", title: "Depth ±", value: (clip) => clip.depth,
    text: (clip) => (clip.depth === null ? NONE : `${clip.depth.toFixed(1)} cm`), flags: ["uncertain"], descending: true,
  },
  {
    key: "flags", title: "Flags", descending: true,
    value: (clip) => clip.flags.reduce((sum, [, bad]) => sum + (bad ? 100 : 1), 0),
  },
];
