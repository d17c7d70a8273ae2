/** The hypotheses in 3D: tubes for bones, ellipsoids for uncertainty, a floor, and where the camera stood. */

const BONE_RADIUS_M = 0.024;
const HEAD_RADIUS_M = 0.088;
const GRID_STEP_M = 0.5;
const GRID_REACH_M = 2;
const CAMERA_GLYPH_DISTANCE_M = 1.35;
// Where hypotheses coincide, the more probable one is drawn over the others.
const PRECEDENCE_M = 0.12;
const HOVER_REACH_PX = 14;

class SceneView {
  constructor(canvas, recording, palette) {
    this.canvas = canvas;
    this.recording = recording;
    this.palette = palette;
    this.camera = new OrbitCamera();
    this.toScene = recording.about.scene_rotation.flat();
    this.headTop = recording.jointNames.indexOf("head_top");
    this.neck = recording.jointNames.indexOf("neck_nose");
    this.hover = null;
  }

  /** Draws the given rows, the first of which is the one in focus; nothing but the floor if there is none. */
  draw(rows, state) {
    const { context, width, height } = fitCanvas(this.canvas);
    this.context = context;
    this.frameGroup(state);
    this.camera.resize(width, height);
    this.drawFloor();
    this.joints = [];
    if (rows.length === 0) return;
    this.origin = this.originOf(rows[0]);
    this.drawCamera(rows[0]);
    const items = [];
    rows.forEach((row, order) => this.collectPerson(items, row, state, order === 0));
    items.sort((a, b) => b.depth - a.depth);
    for (const item of items) item.paint();
    context.globalAlpha = 1;
    this.drawHover();
  }

  /** Aims at the focused person, or at the group when everyone is shown; decided once per choice, so nothing sways. */
  frameGroup(state) {
    const key = `${state.person} ${state.everyone}`;
    if (key === this.framedFor) return;
    this.framedFor = key;
    const { recording } = this;
    const offsets = state.everyone ? recording.frames.flatMap((_, step) => this.offsetsFrom(step, state.person)) : [];
    const middle = (axis) => {
      const values = offsets.map((offset) => offset[axis]).sort((a, b) => a - b);
      const [low, high] = [values[Math.floor(0.05 * values.length)] ?? 0, values[Math.floor(0.95 * values.length)] ?? 0];
      return { at: (Math.min(low, 0) + Math.max(high, 0)) / 2, reach: Math.max(high, 0) - Math.min(low, 0) };
    };
    const [x, z] = [middle(0), middle(2)];
    this.camera.target = [x.at, 0.84, z.at];
    this.camera.fitDistance = Math.min(14, 4.2 + 0.85 * Math.hypot(x.reach, z.reach));
  }

  /** Where the others stand relative to a person at a step, in scene axes. */
  offsetsFrom(step, person) {
    const { recording } = this;
    const rows = recording.rowsAt(step).filter((row) => recording.isLifted(row));
    const focus = rows.find((row) => recording.person[row] === person);
    if (focus === undefined) return [];
    const rootOf = (row) => rotate(this.toScene, recording.rootTranslation(row, recording.mostProbable(row)));
    return rows.filter((row) => row !== focus).map((row) => subtract(rootOf(row), rootOf(focus)));
  }

  /** What to add to S (root-relative position + root translation) so that the focused person stands on the floor. */
  originOf(row) {
    const root = rotate(this.toScene, this.recording.rootTranslation(row, this.recording.mostProbable(row)));
    const floor = Number.isFinite(this.recording.floor_m[row]) ? this.recording.floor_m[row] : -0.9;
    return subtract([0, -floor, 0], root);
  }

  placeJoints(row, hypothesis, ownDepth) {
    const anchor = ownDepth ? hypothesis : this.recording.mostProbable(row);
    const base = add(this.origin, rotate(this.toScene, this.recording.rootTranslation(row, anchor)));
    return this.recording.jointNames.map((_, joint) =>
      add(base, rotate(this.toScene, this.recording.mean(row, hypothesis, joint))),
    );
  }

  collectPerson(items, row, state, isFocus) {
    const { recording } = this;
    const best = recording.mostProbable(row);
    const selected = state.pinned ?? best;
    const largest = recording.weight(row, best);
    for (let m = 0; m < recording.numHypotheses; m++) {
      if (!state.visible[m]) continue;
      const share = Math.sqrt(Math.max(0, recording.weight(row, m) / largest));
      const look = {
        colour: this.palette.hypothesis(m),
        opacity: (0.22 + 0.78 * share) * (isFocus ? 1 : 0.75),
        radius: BONE_RADIUS_M * (0.5 + 0.5 * share),
        nearer: PRECEDENCE_M * share,
      };
      const joints = this.placeJoints(row, m, state.ownDepth);
      if (m === selected) this.drawShadow(joints);
      this.collectBones(items, joints, look);
      if (state.sigma > 0) this.collectEllipsoids(items, joints, row, m, state.sigma, look);
      this.rememberJoints(joints, row, m);
    }
  }

  collectBones(items, joints, look) {
    const { context, camera, recording } = this;
    const points = joints.map((joint) => camera.project(joint));
    for (const [parent, child] of recording.bones) {
      const [a, b] = [points[parent], points[child]];
      if (!a || !b) continue;
      if (child === this.headTop) continue;
      const isLeft = recording.left.has(child);
      items.push({ depth: (a.depth + b.depth) / 2 - look.nearer, paint: () => this.paintBone(a, b, look, isLeft) });
    }
    const head = camera.project(scale(add(joints[this.neck], joints[this.headTop]), 0.5));
    if (!head) return;
    items.push({
      depth: head.depth - look.nearer,
      paint: () => {
        context.beginPath();
        context.arc(head.x, head.y, HEAD_RADIUS_M * head.perMetre, 0, 2 * Math.PI);
        this.paintOutlined(look);
      },
    });
  }

  paintBone(a, b, look, isLeft) {
    const { context } = this;
    traceCapsule(context, a, look.radius * a.perMetre, b, look.radius * b.perMetre);
    this.paintOutlined(look);
    if (!isLeft) return;
    context.globalAlpha = look.opacity;
    context.strokeStyle = this.palette.stripe;
    context.lineCap = "round";
    context.lineWidth = Math.max(1, 0.27 * look.radius * (a.perMetre + b.perMetre));
    traceLine(context, a, b);
    context.stroke();
  }

  /** A rim in the colour of the background keeps crossing limbs apart. */
  paintOutlined(look) {
    const { context } = this;
    context.globalAlpha = 0.85 * look.opacity;
    context.strokeStyle = this.palette.stage;
    context.lineWidth = 2.4;
    context.stroke();
    context.globalAlpha = look.opacity;
    context.fillStyle = look.colour;
    context.fill();
  }

  collectEllipsoids(items, joints, row, hypothesis, sigma, look) {
    const { camera, recording } = this;
    const rotation = recording.viewRotation(row);
    const sight = rotate(camera.rotation, rotate(this.toScene, [rotation[2], rotation[5], rotation[8]]));
    joints.forEach((joint, index) => {
      const [across, along] = recording.std(row, hypothesis, index);
      if (!(across > 0 && along > 0)) return;
      const center = camera.toView(joint);
      const covariance = lineOfSightCovariance(sight, sigma * across, sigma * along);
      const outline = ellipsoidOutline(center, covariance, camera.focal);
      // Just behind its joint, so that the bones stay readable.
      if (outline) items.push({ depth: center[2] + 0.02 - look.nearer, paint: () => this.paintEllipse(outline, look) });
    });
  }

  paintEllipse(outline, look) {
    const { context, camera } = this;
    context.beginPath();
    context.ellipse(
      camera.width / 2 + outline.x, camera.height / 2 + outline.y,
      outline.major, outline.minor, outline.angle, 0, 2 * Math.PI,
    );
    context.fillStyle = context.strokeStyle = look.colour;
    context.globalAlpha = 0.16 * look.opacity ** 2;
    context.fill();
    context.globalAlpha = 0.5 * look.opacity ** 2;
    context.lineWidth = 1;
    context.stroke();
  }

  /** The pose flattened onto the floor. */
  drawShadow(joints) {
    const { context, camera } = this;
    const points = joints.map(([x, , z]) => camera.project([x, 0, z]));
    context.globalAlpha = 1;
    context.strokeStyle = this.palette.shadow;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    let perMetre = 0;
    for (const [parent, child] of this.recording.bones) {
      if (!points[parent] || !points[child]) continue;
      context.moveTo(points[parent].x, points[parent].y);
      context.lineTo(points[child].x, points[child].y);
      perMetre = points[child].perMetre;
    }
    context.lineWidth = 3 * BONE_RADIUS_M * perMetre;
    context.stroke();
  }

  drawFloor() {
    const { context, camera } = this;
    context.strokeStyle = this.palette.muted;
    context.lineWidth = 1;
    const count = Math.round(GRID_REACH_M / GRID_STEP_M);
    const segment = (ax, az, bx, bz) => {
      const [a, b] = [camera.project([ax, 0, az]), camera.project([bx, 0, bz])];
      const fade = 1 - Math.hypot((ax + bx) / 2, (az + bz) / 2) / (GRID_REACH_M + 0.1);
      if (!a || !b || fade <= 0) return;
      context.globalAlpha = 0.42 * fade;
      traceLine(context, a, b);
      context.stroke();
    };
    for (let i = -count; i <= count; i++) {
      for (let k = -2 * count; k < 2 * count; k++) {
        const [fixed, from, to] = [i * GRID_STEP_M, (k * GRID_STEP_M) / 2, ((k + 1) * GRID_STEP_M) / 2];
        segment(fixed, from, fixed, to);
        segment(from, fixed, to, fixed);
      }
    }
    context.globalAlpha = 1;
  }

  /** A small pyramid on the line of sight shows from where the picture was taken; it is drawn nearer than it stood. */
  drawCamera(row) {
    const { context, camera, recording } = this;
    const root = rotate(this.toScene, recording.rootTranslation(row, recording.mostProbable(row)));
    const distance = Math.hypot(...root);
    if (!(distance > 0)) return;
    const pelvis = add(this.origin, root);
    const towards = scale(root, -1 / distance);
    // Seen from the camera itself, its sign would only stand in front of the person.
    if (dot(towards, scale(camera.rotation.slice(6), -1)) > 0.985) return;
    const eye = add(pelvis, scale(towards, Math.min(distance, CAMERA_GLYPH_DISTANCE_M)));
    const [right, down, forward] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((axis) => rotate(this.toScene, axis));
    const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([x, y]) =>
      camera.project(add(eye, add(scale(forward, 0.2), add(scale(right, 0.13 * x), scale(down, 0.09 * y))))),
    );
    const [tip, end] = [camera.project(eye), camera.project(add(pelvis, scale(towards, 0.25)))];
    if (!tip || !end || corners.includes(null)) return;
    context.strokeStyle = context.fillStyle = this.palette.muted;
    context.lineWidth = 1.4;
    context.globalAlpha = 0.75;
    context.beginPath();
    corners.forEach((corner, i) => {
      const next = corners[(i + 1) % 4];
      context.moveTo(tip.x, tip.y);
      context.lineTo(corner.x, corner.y);
      context.lineTo(next.x, next.y);
    });
    context.stroke();
    context.globalAlpha = 0.4;
    context.setLineDash([2, 5]);
    traceLine(context, tip, end);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 0.9;
    context.font = `11px ${FONT}`;
    const text = `camera, ${distance.toFixed(1)} m away`;
    const half = context.measureText(text).width / 2 + 8;
    context.textAlign = "center";
    context.fillText(text, Math.max(half, Math.min(camera.width - half, tip.x)), tip.y + 0.16 * tip.perMetre + 12);
    context.globalAlpha = 1;
  }

  rememberJoints(joints, row, hypothesis) {
    joints.forEach((joint, index) => {
      const point = this.camera.project(joint);
      if (point) this.joints.push({ ...point, row, hypothesis, index });
    });
  }

  /** Names the joint under the mouse, with its standard deviations. */
  drawHover() {
    if (!this.hover) return;
    const { context, recording, palette } = this;
    const distance = (joint) => Math.hypot(joint.x - this.hover.x, joint.y - this.hover.y);
    const near = this.joints.filter((joint) => distance(joint) < HOVER_REACH_PX);
    if (near.length === 0) return;
    const joint = near.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    const [across, along] = recording.std(joint.row, joint.hypothesis, joint.index);
    const spread = `± ${(100 * along).toFixed(1)} cm in depth, ± ${(100 * across).toFixed(1)} cm across`;
    const text = `${joint.hypothesis + 1} · ${recording.jointLabel(joint.index)}${across > 0 ? `  ${spread}` : "  root"}`;
    context.font = `12px ${FONT}`;
    context.textAlign = "left";
    const textWidth = context.measureText(text).width;
    const x = Math.max(4, Math.min(this.camera.width - textWidth - 22, joint.x + 12));
    const y = Math.max(4, joint.y - 34);
    context.fillStyle = palette.ink;
    context.beginPath();
    context.roundRect(x, y, textWidth + 18, 25, 7);
    context.fill();
    context.fillStyle = palette.stage;
    context.fillText(text, x + 9, y + 17);
    context.strokeStyle = palette.ink;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(joint.x, joint.y, 6, 0, 2 * Math.PI);
    context.stroke();
  }
}
