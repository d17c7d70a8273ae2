/**
 * Two strips over time for the person in focus: mixing coefficients, stacked, and the depth uncertainty; between them a
 * mark where the keypoints may not be a person.
 */

const WEIGHTS_SHARE = 0.54;
const STRIP_GAP_PX = 7;
const DOUBT_MARK_PX = 3;

class TimelineView {
  constructor(canvas, recording, palette) {
    this.canvas = canvas;
    this.recording = recording;
    this.palette = palette;
    this.drawnFor = "";
    this.strip = document.createElement("canvas");
  }

  /** Canvas x of a step; steps sit in the middle of equal cells, as the slider's thumb does at its ends. */
  stepAt(x) {
    const last = this.recording.frames.length - 1;
    return Math.max(0, Math.min(last, Math.floor((x / this.canvas.clientWidth) * (last + 1))));
  }

  draw(state) {
    const { context, width, height } = fitCanvas(this.canvas);
    const key = [width, height, this.canvas.width, state.person, state.visible, this.palette.ink].join();
    if (key !== this.drawnFor) {
      this.drawnFor = key;
      this.drawStrip(state, width, height);
    }
    if (this.strip.width > 0) context.drawImage(this.strip, 0, 0, width, height);
    const cell = width / this.recording.frames.length;
    context.fillStyle = this.palette.ink;
    const x = Math.min(width - 2, Math.max(0, (state.step + 0.5) * cell - 1));
    context.beginPath();
    context.roundRect(x, 0, 2, height, 1);
    context.fill();
  }

  drawStrip(state, width, height) {
    [this.strip.width, this.strip.height] = [this.canvas.width, this.canvas.height];
    const context = this.strip.getContext("2d");
    context.setTransform(this.canvas.width / width, 0, 0, this.canvas.height / height, 0, 0);
    const steps = this.recording.frames.length;
    const columns = Math.min(steps, Math.ceil(width));
    const weightsHeight = Math.round(WEIGHTS_SHARE * height);
    const depthTop = weightsHeight + STRIP_GAP_PX;
    const largest = this.largestDepth(state.person);
    const depthScale = (height - depthTop) / largest;
    document.getElementById("depth-axis").textContent = `depth ≤ ${(100 * largest).toFixed(0)} cm`;
    // On whole device pixels, so that no seams show between neighbours.
    const ratio = this.canvas.width / width;
    const snap = (column) => Math.round((column / columns) * width * ratio) / ratio;
    for (let column = 0; column < columns; column++) {
      const row = this.recording.rowOf(Math.floor((column / columns) * steps), state.person);
      const left = snap(column);
      const cell = { left, width: snap(column + 1) - left };
      if (row !== null && this.recording.isDoubtful(row)) this.drawDoubt(context, cell, weightsHeight);
      if (row === null || !this.recording.isLifted(row)) this.drawGap(context, cell, height);
      else this.drawColumn(context, row, cell, state, { weightsHeight, depthTop, depthScale, height });
    }
  }

  drawColumn(context, row, cell, state, { weightsHeight, depthTop, depthScale, height }) {
    let top = 0;
    for (let m = 0; m < this.recording.numHypotheses; m++) {
      const part = this.recording.weight(row, m) * weightsHeight;
      context.globalAlpha = state.visible[m] ? 0.9 : 0.16;
      context.fillStyle = this.palette.hypothesis(m);
      context.fillRect(cell.left, top, cell.width, part);
      top += part;
    }
    const depth = Math.min(height - depthTop, this.recording.depth_std_m[row] * depthScale);
    context.globalAlpha = 0.3;
    context.fillStyle = this.palette.ink;
    context.fillRect(cell.left, height - depth, cell.width, depth);
    context.globalAlpha = 0.85;
    context.fillRect(cell.left, height - depth, cell.width, 1.5);
    context.globalAlpha = 1;
  }

  drawDoubt(context, cell, weightsHeight) {
    context.fillStyle = this.palette.doubt;
    context.fillRect(cell.left, weightsHeight + (STRIP_GAP_PX - DOUBT_MARK_PX) / 2, cell.width, DOUBT_MARK_PX);
  }

  drawGap(context, cell, height) {
    context.globalAlpha = 0.16;
    context.fillStyle = this.palette.muted;
    context.fillRect(cell.left, 0, cell.width, height);
    context.globalAlpha = 1;
  }

  /** Top of the depth strip in metres: the largest value of the person in focus. */
  largestDepth(person) {
    let largest = 0.01;
    this.recording.depth_std_m.forEach((value, row) => {
      if (this.recording.person[row] === person && value > largest) largest = value;
    });
    return largest;
  }
}
