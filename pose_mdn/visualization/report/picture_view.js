/** The picture as the detector saw it: observed joints, and one hypothesis projected back over them. */

const WINDOW_MARGIN = 1.3;

class PictureView {
  constructor(canvas, recording, palette) {
    this.canvas = canvas;
    this.recording = recording;
    this.palette = palette;
    this.bounds = this.boundsOfEverything();
    this.largestPerson = this.sizeOfLargestPerson();
  }

  /** Picture size if known, else a box around all joints ever seen. */
  boundsOfEverything() {
    const size = this.recording.about.image_size;
    if (size) return { x: 0, y: 0, width: size[0], height: size[1] };
    const box = this.boxOf(this.recording.frame.keys());
    if (!box) return { x: 0, y: 0, width: 1, height: 1 };
    const margin = 0.06 * Math.max(box.width, box.height);
    return { x: box.x - margin, y: box.y - margin, width: box.width + 2 * margin, height: box.height + 2 * margin };
  }

  boxOf(rows) {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const row of rows) {
      for (let joint = 0; joint < this.recording.numJoints; joint++) {
        if (!this.recording.isSeen(row, joint)) continue;
        const [x, y] = this.recording.keypoint(row, joint);
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
    }
    return left <= right ? { x: left, y: top, width: right - left, height: bottom - top } : null;
  }

  /** [width, height] that holds nineteen in twenty people, so that the close-up does not breathe and outliers do not rule. */
  sizeOfLargestPerson() {
    const boxes = [...this.recording.frame.keys()].map((row) => this.boxOf([row])).filter((box) => box);
    const high = (values) => values.sort((a, b) => a - b)[Math.floor(0.95 * (values.length - 1))] || 1;
    if (boxes.length === 0) return [1, 1];
    return [high(boxes.map((box) => box.width)), high(boxes.map((box) => box.height))];
  }

  draw(row, others, state) {
    const { context, width, height } = fitCanvas(this.canvas);
    this.context = context;
    this.chooseWindow(row, width, height, state.closeUp);
    this.drawFrame();
    for (const other of others) this.drawObserved(other, 0.35);
    if (row === null) return;
    if (this.recording.isLifted(row)) this.drawReprojection(row, state);
    this.drawObserved(row, 1);
  }

  /** Pixels of the picture to pixels of the canvas: a window that follows the person, or the whole picture. */
  chooseWindow(row, width, height, closeUp) {
    const margin = 14;
    // While nobody is there the window stays where the person was last, so that it does not jump in between.
    if (closeUp && row !== null) this.lastBox = this.boxOf([row]) ?? this.lastBox;
    if (closeUp && this.lastBox) {
      const box = this.lastBox;
      const [w, h] = this.largestPerson.map((side) => side * WINDOW_MARGIN);
      this.zoom = Math.min(width / Math.max(w, box.width * 1.1), height / Math.max(h, box.height * 1.1));
      this.left = width / 2 - this.zoom * (box.x + box.width / 2);
      this.top = height / 2 - this.zoom * (box.y + box.height / 2);
      return;
    }
    const { bounds } = this;
    this.zoom = Math.min((width - 2 * margin) / bounds.width, (height - 2 * margin) / bounds.height);
    this.left = width / 2 - this.zoom * (bounds.x + bounds.width / 2);
    this.top = height / 2 - this.zoom * (bounds.y + bounds.height / 2);
  }

  toCanvas([x, y]) {
    return { x: this.left + this.zoom * x, y: this.top + this.zoom * y };
  }

  /** Strokes grow thinner when people are small on the canvas: 1 from a height of 260 pixels on. */
  thickness() {
    return Math.max(0.3, Math.min(1, (this.zoom * this.largestPerson[1]) / 260));
  }

  drawFrame() {
    const { context, bounds, palette } = this;
    const corner = this.toCanvas([bounds.x, bounds.y]);
    context.fillStyle = palette.frame;
    context.fillRect(corner.x, corner.y, this.zoom * bounds.width, this.zoom * bounds.height);
    if (!this.recording.about.image_size) return;
    context.strokeStyle = palette.line;
    context.lineWidth = 1.5;
    context.strokeRect(corner.x, corner.y, this.zoom * bounds.width, this.zoom * bounds.height);
  }

  drawObserved(row, opacity) {
    const { context, recording, palette } = this;
    const thickness = this.thickness();
    context.lineCap = "round";
    context.globalAlpha = opacity;
    for (const [parent, child] of recording.bones) {
      const from = recording.seenAncestor(row, child);
      if (from < 0 || !recording.isSeen(row, child)) continue;
      const [a, b] = [this.toCanvas(recording.keypoint(row, from)), this.toCanvas(recording.keypoint(row, child))];
      context.strokeStyle = palette.ink;
      // Thin where the joint between them was not seen: that line is no bone.
      context.lineWidth = (from === parent ? 4.5 : 1.6) * thickness;
      traceLine(context, a, b);
      context.stroke();
      if (from !== parent || !recording.left.has(child)) continue;
      context.strokeStyle = palette.stripe;
      context.lineWidth = 1.8 * thickness;
      context.stroke();
    }
    for (let joint = 0; joint < recording.numJoints; joint++) {
      if (!recording.isSeen(row, joint)) continue;
      const point = this.toCanvas(recording.keypoint(row, joint));
      context.globalAlpha = opacity * (0.35 + 0.65 * recording.confidence[row * recording.numJoints + joint]);
      context.fillStyle = palette.ink;
      context.strokeStyle = palette.frame;
      context.lineWidth = 1.5 * thickness;
      context.beginPath();
      context.arc(point.x, point.y, 4.2 * thickness, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /** The selected hypothesis through the lens that was used; joints nobody saw are hollow. */
  drawReprojection(row, state) {
    const { context, recording, palette } = this;
    const selected = state.pinned ?? recording.mostProbable(row);
    const root = recording.rootTranslation(row, selected);
    const points = recording.jointNames.map((_, joint) => {
      const pixel = projectToPicture(
        add(recording.mean(row, selected, joint), root), recording.intrinsicsOf(row), recording.about.distortion,
        recording.about.lens_model,
      );
      return pixel && this.toCanvas(pixel);
    });
    const colour = palette.hypothesis(selected);
    context.strokeStyle = colour;
    context.lineCap = "round";
    context.globalAlpha = 0.5;
    context.lineWidth = 11 * this.thickness();
    for (const [parent, child] of recording.bones) {
      if (!points[parent] || !points[child]) continue;
      traceLine(context, points[parent], points[child]);
      context.stroke();
    }
    context.globalAlpha = 1;
    context.lineWidth = 2;
    points.forEach((point, joint) => {
      if (!point || recording.isSeen(row, joint)) return;
      context.fillStyle = palette.frame;
      context.beginPath();
      context.arc(point.x, point.y, 5.5 * this.thickness(), 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    });
  }
}
