// Keypoints, and hypotheses from the front and from the side, as lines of an SVG.

const COLOURS = ["#1b6ca8", "#d1495b", "#2e933c", "#9b5de5", "#e09f3e", "#17a398", "#6d6875", "#b5651d"];
const PANEL = 300;
const METRES = 2.3;
const NAMESPACE = "http://www.w3.org/2000/svg";

/** Draw the first pose of a LiftResponse. */
export function draw(svg, answer, bones) {
  svg.replaceChildren();
  const { liftedKeypointsPx: pixels, meansM: means, mixingCoefficients: weights, numHypotheses: count } = answer;
  const joints = 17;
  drawPanel(svg, 0, "keypoints", bones, [fitted(joints, (j) => [pixels[2 * j], pixels[2 * j + 1]])], [1]);
  for (const [panel, name, across] of [[1, "from the front", 0], [2, "from the side", 2]]) {
    const poses = Array.from({ length: count }, (_, m) =>
      Array.from({ length: joints }, (_, j) => {
        const at = (m * joints + j) * 3;
        return [0.5 + means[at + across] / METRES, 0.47 + means[at + 1] / METRES];
      }),
    );
    drawPanel(svg, panel, name, bones, poses, weights);
  }
}

function fitted(joints, pointOf) {
  const points = Array.from({ length: joints }, (_, j) => pointOf(j).map(Number));
  const seen = points.filter((point) => point.every(Number.isFinite));
  const [low, high] = [Math.min, Math.max].map((pick) => [0, 1].map((axis) => pick(...seen.map((p) => p[axis]))));
  const size = Math.max(high[0] - low[0], high[1] - low[1]) / 0.8;
  return points.map((point) => point.map((value, axis) => 0.5 + (value - (low[axis] + high[axis]) / 2) / size));
}

function drawPanel(svg, panel, name, bones, poses, weights) {
  const title = document.createElementNS(NAMESPACE, "text");
  title.setAttribute("x", panel * PANEL + 12);
  title.setAttribute("y", 22);
  title.textContent = name;
  svg.append(title);
  const order = weights.map((_, m) => m).sort((a, b) => weights[a] - weights[b]);
  for (const m of order) {
    for (const [from, to] of bones) {
      const ends = [poses[m][from], poses[m][to]];
      if (!ends.flat().every(Number.isFinite)) continue;
      const line = document.createElementNS(NAMESPACE, "line");
      for (const [i, [x, y]] of ends.entries()) {
        line.setAttribute(`x${i + 1}`, ((panel + x) * PANEL).toFixed(1));
        line.setAttribute(`y${i + 1}`, (30 + y * PANEL).toFixed(1));
      }
      line.setAttribute("stroke", panel === 0 ? "#333" : COLOURS[m % COLOURS.length]);
      line.setAttribute("stroke-opacity", (0.15 + 0.85 * weights[m]).toFixed(3));
      line.setAttribute("stroke-width", 3);
      line.setAttribute("stroke-linecap", "round");
      svg.append(line);
    }
  }
}
