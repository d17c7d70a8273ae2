/** Colours come from the style sheet, so that light and dark are decided in one place; canvases are sized here. */

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const DISTINCT_COLOURS = 8;

class Palette {
  constructor() {
    this.read();
  }

  read() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.ink = colour("ink");
    this.muted = colour("muted");
    this.line = colour("line");
    this.accent = colour("accent");
    this.stage = colour("stage");
    this.frame = colour("frame");
    this.shadow = colour("shadow");
    this.stripe = colour("stripe");
    this.doubt = colour("fair");
    this.distinct = Array.from({ length: DISTINCT_COLOURS }, (_, i) => colour(`h${i}`));
  }

  /** Okabe and Ito's colours, which stay apart for colour-blind readers; past eight of them, hues by the golden angle. */
  hypothesis(index) {
    return index < DISTINCT_COLOURS ? this.distinct[index] : `hsl(${(index * 137.5) % 360} 55% 55%)`;
  }
}

/** Match a canvas's pixels to its size on the screen; drawing is then in CSS pixels. */
function fitCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** Outline of two circles and the straight lines that touch both: a bone that grows thinner with distance. */
function traceCapsule(context, a, radiusA, b, radiusB) {
  const distance = Math.hypot(b.x - a.x, b.y - a.y);
  context.beginPath();
  if (distance <= Math.abs(radiusA - radiusB)) {
    const [point, radius] = radiusA > radiusB ? [a, radiusA] : [b, radiusB];
    context.arc(point.x, point.y, radius, 0, 2 * Math.PI);
    return;
  }
  const along = Math.atan2(b.y - a.y, b.x - a.x);
  const open = Math.acos((radiusA - radiusB) / distance);
  context.arc(a.x, a.y, radiusA, along + open, along - open + 2 * Math.PI);
  context.arc(b.x, b.y, radiusB, along - open, along + open);
  context.closePath();
}

function traceLine(context, a, b) {
  context.beginPath();
  context.moveTo(a.x, a.y);
  context.lineTo(b.x, b.y);
}
