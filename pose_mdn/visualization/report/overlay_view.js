/** Every hypothesis over the picture, the chosen one with its uncertainty. */

/** How much of the picture the frame's colour hides, so that lines stay readable on it. */
const VEIL = 0.4;

class OverlayView extends PictureView {
  constructor(canvas, recording, palette, onLoad) {
    super(canvas, recording, palette);
    const element = document.getElementById("pictures");
    this.pictures = element ? JSON.parse(element.textContent) : {};
    this.onLoad = onLoad;
    this.loaded = new Map();
  }

  get hasPictures() {
    return Object.keys(this.pictures).length > 0;
  }

  /** Where the person was seen, and where the likeliest hypothesis would have it. */
  boxOf(rows) {
    const kept = [...rows];
    const box = super.boxOf(kept);
    if (!box) return null;
    let [left, top, right, bottom] = [box.x, box.y, box.x + box.width, box.y + box.height];
    for (const row of kept.filter((each) => this.recording.isLifted(each))) {
      const likeliest = this.recording.mostProbable(row);
      for (let joint = 0; joint < this.recording.numJoints; joint++) {
        const [x, y] = this.recording.projected(row, likeliest, joint);
        if (!Number.isFinite(x)) continue;
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
    }
    return { x: left, y: top, width: right - left, height: bottom - top };
  }

  draw(row, others, state) {
    const { context, width, height } = fitCanvas(this.canvas);
    this.context = context;
    this.frame = this.recording.frames[state.step];
    this.chooseWindow(row, width, height, state.closeUp);
    this.drawFrame();
    for (const other of others) this.drawObserved(other, 0.35);
    if (row === null) return;
    if (this.recording.isLifted(row)) this.drawHypotheses(row, state);
    this.drawObserved(row, 1);
  }

  drawFrame() {
    super.drawFrame();
    const image = this.imageOf(this.frame);
    if (!image?.complete || !image.naturalWidth) return;
    const { context, bounds } = this;
    const corner = this.toCanvas([bounds.x, bounds.y]);
    const size = [this.zoom * bounds.width, this.zoom * bounds.height];
    context.drawImage(image, corner.x, corner.y, ...size);
    context.globalAlpha = VEIL;
    context.fillStyle = this.palette.frame;
    context.fillRect(corner.x, corner.y, ...size);
    context.globalAlpha = 1;
  }

  imageOf(frame) {
    if (!this.loaded.has(frame) && this.pictures[frame]) {
      const image = new Image();
      image.addEventListener("load", this.onLoad);
      image.src = this.pictures[frame];
      this.loaded.set(frame, image);
    }
    return this.loaded.get(frame);
  }

  drawHypotheses(row, state) {
    const { recording } = this;
    const selected = state.pinned ?? recording.mostProbable(row);
    for (let m = 0; m < recording.numHypotheses; m++) {
      if (m !== selected && state.visible[m]) this.drawHypothesis(row, m, 3.5, 0.6);
    }
    this.drawEllipses(row, selected);
    this.drawHypothesis(row, selected, 9, 0.62);
  }

  drawHypothesis(row, hypothesis, width, opacity) {
    const { context, recording, palette } = this;
    context.strokeStyle = palette.hypothesis(hypothesis);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = width * this.thickness();
    context.globalAlpha = opacity;
    context.beginPath();
    for (const [parent, child] of recording.bones) {
      const [a, b] = [recording.projected(row, hypothesis, parent), recording.projected(row, hypothesis, child)];
      if (!Number.isFinite(a[0]) || !Number.isFinite(b[0])) continue;
      const [from, to] = [this.toCanvas(a), this.toCanvas(b)];
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** Within which a keypoint should lie, with the stated probability; dashed where it does not. */
  drawEllipses(row, hypothesis) {
    const { context, recording, palette } = this;
    context.fillStyle = palette.hypothesis(hypothesis);
    for (let joint = 0; joint < recording.numJoints; joint++) {
      const point = recording.projected(row, hypothesis, joint);
      const [xx, xy, yy] = recording.covariance(row, hypothesis, joint);
      if (!Number.isFinite(point[0]) || !(xx > 0 && yy > 0)) continue;
      const middle = (xx + yy) / 2;
      const spread = Math.hypot((xx - yy) / 2, xy);
      const reach = (variance) => this.zoom * recording.about.radius * Math.sqrt(Math.max(0, variance));
      const { x, y } = this.toCanvas(point);
      const isOutside = recording.isSeen(row, joint) && !recording.isWithin(row, hypothesis, joint);
      context.beginPath();
      context.ellipse(x, y, reach(middle + spread), reach(middle - spread), Math.atan2(2 * xy, xx - yy) / 2, 0, 2 * Math.PI);
      context.globalAlpha = 0.1;
      context.fill();
      context.globalAlpha = 0.95;
      context.strokeStyle = isOutside ? palette.bad : palette.hypothesis(hypothesis);
      context.lineWidth = isOutside ? 2 : 1.2;
      context.setLineDash(isOutside ? [5, 3] : []);
      context.stroke();
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }
}
