// The page: a button for each way to call.

import { draw } from "./drawing.js";
import { poseLiftingClient, violationsOf } from "./library.js";
import { lift, liftStream } from "./plain.js";

const sample = JSON.parse(document.getElementById("sample").textContent);
const server = new URLSearchParams(location.search).get("server") ?? sample.server;
const picture = document.getElementById("picture");
const said = document.getElementById("said");
const camera = { imageWidthPx: sample.imageWidthPx, imageHeightPx: sample.imageHeightPx };
const request = { skeleton: sample.skeleton, camera, ...sample.frames[0] };
const asNumbers = { ...request, keypointsPx: request.keypointsPx.map(Number) };

const ways = {
  plain: () => lift(server, request),
  connect: () => poseLiftingClient(server, "connect").lift(asNumbers),
  "grpc-web": () => poseLiftingClient(server, "grpc-web").lift(asNumbers),
  stream: async () => {
    const settings = { settings: { skeleton: sample.skeleton, camera } };
    const poses = sample.frames.map((frame) => ({ poses: frame }));
    let last;
    let count = 0;
    for await (const answer of liftStream(server, [settings, ...poses])) {
      count += 1;
      last = { ...answer.lift, numPoses: count };
      draw(picture, last, sample.bones);
    }
    return last;
  },
  mistake: () => lift(server, { ...request, keypointsPx: request.keypointsPx.slice(1) }),
  "mistake-library": () =>
    poseLiftingClient(server, "grpc-web").lift({ ...asNumbers, confidence: asNumbers.confidence.map(() => 2) }),
};

for (const [id, call] of Object.entries(ways)) {
  document.getElementById(id).addEventListener("click", () => show(id, call));
}

async function show(id, call) {
  said.className = "";
  said.textContent = "Asking ...";
  const started = performance.now();
  try {
    const answer = await call();
    draw(picture, answer, sample.bones);
    const weights = answer.mixingCoefficients.map((weight) => `${Math.round(100 * weight)} %`).join(", ");
    const elapsed = Math.round(performance.now() - started);
    said.textContent = `${id}: ${answer.numPoses} × ${answer.numHypotheses} hypotheses by ${answer.model} in ${elapsed} ms\n${weights}`;
    window.lifted = { id, meansM: Array.from(answer.meansM) };
  } catch (error) {
    const violations = error.violations ?? violationsOf(error);
    const fields = violations.map(({ field, description }) => `${field}: ${description}`).join("\n");
    picture.replaceChildren();
    said.className = "wrong";
    said.textContent = `${id}: refused\n${fields || error.message}`;
  }
}
