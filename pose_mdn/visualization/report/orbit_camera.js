/** A camera that turns around a point of the scene (x right, y up, z towards the camera that took the picture). */

const VIEWPOINTS = {
  oblique: { azimuth: 0.62, elevation: 0.2 },
  camera: { azimuth: 0, elevation: 0 },
  side: { azimuth: Math.PI / 2, elevation: 0.03 },
  top: { azimuth: 0, elevation: Math.PI / 2 - 0.02 },
};

class OrbitCamera {
  constructor() {
    this.target = [0, 0.84, 0];
    this.fitDistance = 4.2;
    this.zoom = 1;
    Object.assign(this, VIEWPOINTS.oblique);
    this.resize(1, 1);
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
    this.focal = 1.95 * Math.min(height, 1.15 * width);
    this.update();
  }

  look(viewpoint) {
    Object.assign(this, VIEWPOINTS[viewpoint]);
    this.update();
  }

  reset() {
    this.zoom = 1;
    this.look("oblique");
  }

  turn(azimuth, elevation) {
    const limit = Math.PI / 2 - 0.02;
    this.azimuth += azimuth;
    this.elevation = Math.max(-limit, Math.min(limit, this.elevation + elevation));
    this.update();
  }

  zoomBy(factor) {
    this.zoom = Math.max(0.35, Math.min(6, this.zoom * factor));
    this.update();
  }

  update() {
    const [sinA, cosA] = [Math.sin(this.azimuth), Math.cos(this.azimuth)];
    const [sinE, cosE] = [Math.sin(this.elevation), Math.cos(this.elevation)];
    const outward = [cosE * sinA, sinE, cosE * cosA];
    const right = [cosA, 0, -sinA];
    const forward = scale(outward, -1);
    const down = cross(forward, right);
    this.rotation = [...right, ...down, ...forward];
    this.eye = add(this.target, scale(outward, this.fitDistance / this.zoom));
  }

  /** Scene point to view axes: x right, y down, z forward, metres from the eye. */
  toView(point) {
    return rotate(this.rotation, subtract(point, this.eye));
  }

  /** Scene point to canvas pixels, with its depth and the number of pixels per metre there; null if behind the eye. */
  project(point) {
    const v = this.toView(point);
    if (v[2] < 0.15) return null;
    const perMetre = this.focal / v[2];
    return { x: this.width / 2 + perMetre * v[0], y: this.height / 2 + perMetre * v[1], depth: v[2], perMetre };
  }
}

/** Mouse, pen and finger: drag turns, wheel and pinch zoom, double click resets. */
function attachOrbit(canvas, camera, onChange) {
  const pointers = new Map();
  const pinchSpan = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const spanBefore = pointers.size === 2 ? pinchSpan() : 0;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pointers.size === 1) camera.turn(-0.009 * (event.clientX - last.x), 0.009 * (event.clientY - last.y));
    else if (pointers.size === 2 && spanBefore > 0) camera.zoomBy(pinchSpan() / spanBefore);
    onChange();
  });
  for (const type of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(type, (event) => pointers.delete(event.pointerId));
  }
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      camera.zoomBy(Math.exp(-0.0014 * event.deltaY));
      onChange();
    },
    { passive: false },
  );
  canvas.addEventListener("dblclick", () => {
    camera.reset();
    onChange();
  });
}
