// Sends a person frame by frame, as a camera would, and prints a line for each answer:
//
//   node stream.js 127.0.0.1:8001 ../person.json [FRAMES]

import { once } from "node:events";
import { readFileSync } from "node:fs";

import { connect, explain } from "./pose_mdn.js";

const [address = "127.0.0.1:8001", file = "../person.json", frames = "5"] = process.argv.slice(2);
const { keypoints_px, confidence, ...settings } = JSON.parse(readFileSync(file));
const client = connect(address);
const stream = client.LiftStream();

stream.on("data", ({ lift, frame }) => {
  const weights = lift.mixing_coefficients.slice(0, lift.num_hypotheses);
  console.log(JSON.stringify({ frame: frame[0], status: lift.status[0], probability: Math.max(...weights) }));
});
stream.on("error", (error) => {
  console.log(JSON.stringify(explain(error)));
  process.exitCode = 1;
});
stream.on("close", () => client.close());

stream.write({ settings }); // camera, skeleton, model: first, and whenever they change
for (let frame = 0; frame < Number(frames); frame++) {
  // `false` says that the server has fallen behind; go on when it has caught up.
  if (!stream.write({ poses: { keypoints_px, confidence, frame: [frame] } })) await once(stream, "drain");
}
stream.end();
