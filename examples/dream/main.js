/** Sliders and pad to a latent, the latent to a pose, the pose to the picture. */

const REACH = 3;
const FOOT_HEIGHT_M = 0.05;
// Upright frame to scene: the person's left to the right, up is up, and who faces looks out of the page.
const TO_SCENE = [1, 0, 0, 0, -1, 0, 0, 0, -1];

/** The report's scene with one pose that hides nothing. */
class DreamView extends SceneView {
  drawPose(joints_m) {
    const { context, width, height } = fitCanvas(this.canvas);
    this.context = context;
    this.camera.resize(width, height);
    this.drawFloor();
    const turned = joints_m.map((joint) => rotate(TO_SCENE, joint));
    const lift = FOOT_HEIGHT_M - Math.min(...turned.map((joint) => joint[1]));
    const joints = turned.map((joint) => add(joint, [0, lift, 0]));
    this.drawShadow(joints);
    const items = [];
    this.collectBones(items, joints, { colour: this.palette.hypothesis(0), opacity: 1, radius: BONE_RADIUS_M, nearer: 0 });
    items.sort((a, b) => b.depth - a.depth);
    for (const item of items) item.paint();
    context.globalAlpha = 1;
  }
}

const about = JSON.parse(document.getElementById("description").textContent);
const axes = about.directions.map((direction) => direction.axis);
const along = axes.map(() => 0);
let rest = axes[0].map(() => 0);

const palette = new Palette();
const view = new DreamView(
  document.getElementById("scene"),
  { bones: about.bones, left: new Set(about.left), jointNames: about.joint_names, about: { scene_rotation: TO_SCENE } },
  palette,
);
const pad = new Pad(document.getElementById("pad"), REACH, palette, (first, second) => move([first, second]));
const sliders = about.directions.map(addSlider);
let shown = null;
let decode = null;
let stale = false;
let following = null;

function addSlider(direction, index) {
  const place = document.getElementById(index < 2 ? "leading" : "others");
  const label = place.appendChild(document.createElement("label"));
  label.append(`${index + 1} · ${direction.moves.join(", ")} · ${(100 * direction.share).toFixed(0)} %`);
  const slider = label.appendChild(document.createElement("input"));
  Object.assign(slider, { type: "range", id: `along-${index}`, min: -REACH, max: REACH, step: 0.01, value: 0 });
  slider.addEventListener("input", () => {
    along[index] = Number(slider.value);
    follow();
  });
  return slider;
}

function latentOf() {
  return Float32Array.from(rest, (value, i) => axes.reduce((sum, axis, k) => sum + along[k] * axis[i], value));
}

function move(values) {
  values.forEach((value, k) => {
    sliders[k].value = value;
    along[k] = Number(sliders[k].value);
  });
  follow();
}

function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

/** A sample of the prior: what no slider reaches stays until the next one. */
function dreamOn() {
  const z = axes[0].map(normal);
  const shares = axes.map((axis) => axis.reduce((sum, value, i) => sum + value * z[i], 0));
  rest = z.map((value, i) => axes.reduce((left, axis, k) => left - shares[k] * axis[i], value));
  move(shares);
}

/** Decodes the newest latent only, however fast the sliders move. */
function follow() {
  stale = true;
  following ??= (async () => {
    while (stale) {
      stale = false;
      const latent = latentOf();
      shown = { latent: Array.from(latent), joints_m: await decode(latent) };
      draw();
    }
    following = null;
  })();
  return following;
}

function draw() {
  if (!shown) return;
  view.drawPose(shown.joints_m);
  pad.draw(along[0], along[1]);
}

async function start() {
  document.getElementById("model").textContent = about.model;
  document.getElementById("samples").textContent = about.samples;
  document.getElementById("middle").addEventListener("click", () => {
    rest = rest.map(() => 0);
    move(along.map(() => 0));
  });
  document.getElementById("sample").addEventListener("click", dreamOn);
  attachOrbit(view.canvas, view.camera, draw);
  window.addEventListener("resize", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (palette.read(), draw()));
  decode = await openDecoder();
  await follow();
  for (const control of document.querySelectorAll("input, button")) control.disabled = false;
  document.getElementById("waiting").hidden = true;
  document.documentElement.dataset.ready = "";
}

for (const control of document.querySelectorAll("input, button")) control.disabled = true;
// For consoles and tests: the latent that is shown and its joints.
window.dream = { read: async () => (await following, shown) };
start().catch((error) => {
  document.getElementById("waiting").textContent = `The decoder did not start: ${error.message}`;
  throw error;
});
