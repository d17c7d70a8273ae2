/**
 * The embedded data, decoded once. A "row" is one person in one frame; rows are sorted by frame, then person.
 * Positions are metres in the camera frame (x right, y down, z forward), relative to the pelvis.
 */

/** Base64 to a typed array. The bytes are little-endian, like every machine that runs a browser today. */
function decodeArray(base64, kind) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return kind === "int32" ? new Int32Array(bytes.buffer) : new Float32Array(bytes.buffer);
}

class Recording {
  constructor(description, arrays) {
    Object.assign(this, arrays);
    this.about = description;
    this.numHypotheses = description.num_hypotheses;
    this.jointNames = description.joint_names;
    this.numJoints = this.jointNames.length;
    this.bones = description.bones;
    this.parents = Array(this.numJoints).fill(-1);
    for (const [parent, child] of this.bones) this.parents[child] = parent;
    this.left = new Set(description.left);
    this.frames = [...new Set(this.frame)];
    this.people = [...new Set(this.person)].filter((person) => person >= 0).sort((a, b) => a - b);
    // Joints that the detector's layout lacks are never seen at all.
    this.provided = this.jointNames.map((_, joint) => this.frame.some((__, row) => this.isSeen(row, joint)));
    this.rowsByFrame = new Map(this.frames.map((frame) => [frame, []]));
    this.frame.forEach((frame, row) => this.rowsByFrame.get(frame).push(row));
  }

  static fromDocument() {
    const description = JSON.parse(document.getElementById("description").textContent);
    const arrays = {};
    for (const element of document.querySelectorAll("script[data-array]")) {
      arrays[element.dataset.array] = decodeArray(element.textContent, element.dataset.kind);
      element.textContent = ""; // the text is a third larger than the array it became
    }
    return new this(description, arrays);
  }

  rowsAt(step) {
    return this.rowsByFrame.get(this.frames[step]);
  }

  /** The row of a person at a step; a frame in which nobody was seen answers for everyone; null if only others were. */
  rowOf(step, person) {
    const rows = this.rowsAt(step);
    const own = rows.find((row) => this.person[row] === person);
    if (own !== undefined) return own;
    return rows.every((row) => this.person[row] < 0) ? rows[0] : null;
  }

  statusOf(row) {
    return this.about.statuses[this.status[row]];
  }

  isLifted(row) {
    return this.statusOf(row).lifted;
  }

  /** Whether the model says that these keypoints are more probably not a person; NaN, where it says nothing, is no doubt. */
  isDoubtful(row) {
    return this.ood_score[row] > this.about.out_of_distribution;
  }

  /** The step to open at: where this person is first lifted, so that the page never greets with an empty frame. */
  firstLiftedStep(person) {
    const isLifted = (step) => this.rowOf(step, person) !== null && this.isLifted(this.rowOf(step, person));
    return Math.max(0, this.frames.findIndex((_, step) => isLifted(step)));
  }

  weight(row, hypothesis) {
    return this.mixing_coefficients[row * this.numHypotheses + hypothesis];
  }

  mostProbable(row) {
    let best = 0;
    for (let m = 1; m < this.numHypotheses; m++) if (this.weight(row, m) > this.weight(row, best)) best = m;
    return best;
  }

  reprojectionError(row, hypothesis) {
    return this.reprojection_error_px[row * this.numHypotheses + hypothesis];
  }

  rootTranslation(row, hypothesis) {
    const at = 3 * (row * this.numHypotheses + hypothesis);
    return this.root_translation_m.subarray(at, at + 3);
  }

  mean(row, hypothesis, joint) {
    const at = 3 * ((row * this.numHypotheses + hypothesis) * this.numJoints + joint);
    return this.means_m.subarray(at, at + 3);
  }

  /** [across, along] the line of sight, metres. */
  std(row, hypothesis, joint) {
    const at = 2 * ((row * this.numHypotheses + hypothesis) * this.numJoints + joint);
    return this.std_m.subarray(at, at + 2);
  }

  viewRotation(row) {
    return this.view_rotation.subarray(9 * row, 9 * row + 9);
  }

  intrinsicsOf(row) {
    return this.intrinsics.subarray(9 * row, 9 * row + 9);
  }

  keypoint(row, joint) {
    const at = 2 * (row * this.numJoints + joint);
    return this.keypoints_px.subarray(at, at + 2);
  }

  isSeen(row, joint) {
    const [x, y] = this.keypoint(row, joint);
    return Number.isFinite(x) && Number.isFinite(y) && this.confidence[row * this.numJoints + joint] > 0;
  }

  /** The nearest ancestor of a joint that was seen, or -1. */
  seenAncestor(row, joint) {
    let ancestor = this.parents[joint];
    while (ancestor >= 0 && !this.isSeen(row, ancestor)) ancestor = this.parents[ancestor];
    return ancestor;
  }

  jointLabel(joint) {
    return this.jointNames[joint].replace(/^l_/, "left ").replace(/^r_/, "right ").replace(/_/g, " ");
  }
}
