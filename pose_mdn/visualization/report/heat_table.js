/** Errors of the person in focus: joints downwards, frames to the right, and above them what is wrong with each frame. */

const HEAT_GUTTER_PX = 96;
const HEAT_STRIP_PX = 9;
const HEAT_GAP_PX = 5;
/** The scale ends at this many times the error that is tolerated. */
const HEAT_REACH = 3;
const HEAT_STEPS = 5;
const HEAT_DOT_FROM_PX = 5;

class HeatTable {
  constructor(canvas, recording, palette) {
    this.canvas = canvas;
    this.recording = recording;
    this.palette = palette;
    this.table = document.createElement("canvas");
    this.drawnFor = "";
    this.hover = null;
  }

  /** The largest error that the scale tells apart, as part of the person's size. */
  get top() {
    return HEAT_REACH * this.recording.about.tolerance;
  }

  /** The step and the joint (-1 on the strip) under a point of the canvas, or null. */
  cellAt(x, y) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const steps = this.recording.frames.length;
    const step = Math.floor(((x - HEAT_GUTTER_PX) / (width - HEAT_GUTTER_PX)) * steps);
    if (step < 0 || step >= steps) return null;
    const top = HEAT_STRIP_PX + HEAT_GAP_PX;
    const joint = y < top ? -1 : Math.floor(((y - top) / (height - top)) * this.recording.numJoints);
    return { step, joint: Math.min(joint, this.recording.numJoints - 1) };
  }

  draw(state) {
    const { context, width, height } = fitCanvas(this.canvas);
    const key = [width, height, this.canvas.width, state.person, state.measure, this.palette.ink].join();
    if (key !== this.drawnFor) {
      this.drawnFor = key;
      this.drawTable(state, width, height);
    }
    context.drawImage(this.table, 0, 0, width, height);
    const cell = (width - HEAT_GUTTER_PX) / this.recording.frames.length;
    const left = HEAT_GUTTER_PX + state.step * cell;
    context.strokeStyle = this.palette.ink;
    context.lineWidth = 2;
    context.strokeRect(Math.min(left, width - 3) + 0.5, 1, Math.max(2, cell - 1), height - 2);
  }

  drawTable(state, width, height) {
    [this.table.width, this.table.height] = [this.canvas.width, this.canvas.height];
    const context = this.table.getContext("2d");
    const ratio = this.canvas.width / width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { recording } = this;
    const [steps, joints] = [recording.frames.length, recording.numJoints];
    const columns = Math.max(1, Math.min(steps, Math.floor(width - HEAT_GUTTER_PX)));
    const top = HEAT_STRIP_PX + HEAT_GAP_PX;
    const snap = (value) => Math.round(value * ratio) / ratio;
    const lefts = Array.from({ length: columns + 1 }, (_, i) => snap(HEAT_GUTTER_PX + (i / columns) * (width - HEAT_GUTTER_PX)));
    const tops = Array.from({ length: joints + 1 }, (_, i) => snap(top + (i / joints) * (height - top)));
    this.drawLabels(context, tops);
    for (let column = 0; column < columns; column++) {
      const cell = { left: lefts[column], width: lefts[column + 1] - lefts[column] };
      const rows = [];
      for (let step = Math.floor((column * steps) / columns); step < Math.ceil(((column + 1) * steps) / columns); step++) {
        const row = recording.rowOf(step, state.person);
        if (row !== null && recording.isLifted(row)) rows.push(row);
      }
      this.drawFault(context, rows, cell);
      for (let joint = 0; joint < joints; joint++) {
        this.drawCell(context, rows, joint, state.measure, { ...cell, top: tops[joint], height: tops[joint + 1] - tops[joint] });
      }
    }
  }

  drawLabels(context, tops) {
    context.fillStyle = this.palette.muted;
    context.font = `11px ${FONT}`;
    context.textAlign = "right";
    context.textBaseline = "middle";
    this.recording.jointNames.forEach((_, joint) => {
      context.fillText(this.recording.jointLabel(joint), HEAT_GUTTER_PX - 8, (tops[joint] + tops[joint + 1]) / 2 + 0.5);
    });
    context.fillText("verdict", HEAT_GUTTER_PX - 8, HEAT_STRIP_PX / 2 + 0.5);
  }

  drawFault(context, rows, cell) {
    const faults = rows.map((row) => this.recording.faultOf(row)).filter((fault) => fault !== null);
    const wrong = faults.some((fault) => fault.value !== "none");
    context.fillStyle = faults.length === 0 ? this.palette.line : wrong ? this.palette.bad : this.palette.good;
    context.fillRect(cell.left, 0, cell.width, HEAT_STRIP_PX);
  }

  /** Of several frames in one cell the worst is shown. */
  drawCell(context, rows, joint, measure, cell) {
    let [worst, isOutside] = [NaN, false];
    for (const row of rows) {
      const hypothesis = this.recording.chosen(row, measure);
      const error = this.recording.errorOfSize(row, hypothesis, joint);
      if (Number.isNaN(error)) continue;
      if (!(error <= worst)) worst = error;
      isOutside ||= !this.recording.isWithin(row, hypothesis, joint);
    }
    const gap = cell.width > 6 ? 1 : 0;
    context.fillStyle = Number.isNaN(worst) ? this.palette.missing : this.colour(worst);
    context.fillRect(cell.left, cell.top, cell.width - gap, cell.height - 1);
    if (!isOutside || cell.width < HEAT_DOT_FROM_PX) return;
    context.fillStyle = this.palette.ink;
    context.beginPath();
    context.arc(cell.left + cell.width / 2, cell.top + cell.height / 2, 1.8, 0, 2 * Math.PI);
    context.fill();
  }

  colour(error) {
    const place = Math.max(0, Math.min(HEAT_STEPS - 1, (error / this.top) * (HEAT_STEPS - 1)));
    const low = Math.min(HEAT_STEPS - 2, Math.floor(place));
    const [from, to] = [this.palette.heat[low], this.palette.heat[low + 1]];
    const mixed = from.map((value, i) => Math.round(value + (place - low) * (to[i] - value)));
    return `rgb(${mixed.join(" ")})`;
  }

  /** What lies under the mouse, in words. */
  describe(state) {
    if (!this.hover) return "";
    const { recording } = this;
    const { step, joint } = this.hover;
    const frame = `Frame ${recording.frames[step]}`;
    const row = recording.rowOf(step, state.person);
    if (row === null || !recording.isLifted(row)) return `${frame}: not lifted`;
    if (joint < 0) return `${frame}: ${recording.faultOf(row)?.text ?? "nothing can be compared"}`;
    const hypothesis = recording.chosen(row, state.measure);
    const name = `${frame}, ${recording.jointLabel(joint)}`;
    const error = recording.errorPx(row, hypothesis, joint);
    if (Number.isNaN(error)) return `${name}: not seen, or behind the camera`;
    const where = recording.isWithin(row, hypothesis, joint) ? "inside" : "outside";
    const share = (100 * recording.errorOfSize(row, hypothesis, joint)).toFixed(1);
    return `${name}: ${error.toFixed(1)} px, ${share} %, ${where} its uncertainty (hypothesis ${hypothesis + 1})`;
  }
}
