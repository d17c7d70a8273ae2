// Lifts the person of a JSON file and prints the most probable pose:
//
//   node lift.js 127.0.0.1:8001 ../person.json [TIMEOUT_S]
//
// The file is a pose_mdn.v1.LiftRequest in JSON. An error is printed as JSON, too, and the exit code is 1.

import { readFileSync } from "node:fs";

import { connect, explain, lift } from "./pose_mdn.js";

const JOINTS = 17;

const [address = "127.0.0.1:8001", file = "../person.json", timeoutS = "10"] = process.argv.slice(2);
const client = connect(address);
try {
  const answer = await lift(client, JSON.parse(readFileSync(file)), { timeoutS: Number(timeoutS) });
  const weights = answer.mixing_coefficients.slice(0, answer.num_hypotheses);
  const best = weights.indexOf(Math.max(...weights));
  const pose = answer.means_m.slice(best * JOINTS * 3, (best + 1) * JOINTS * 3);
  console.log(
    JSON.stringify({
      model: answer.model,
      status: answer.status[0],
      probability: weights[best],
      // Pelvis: x right, y down, z forward, in metres.
      root_translation_m: answer.root_translation_m.slice(best * 3, best * 3 + 3),
      // Joint by joint x, y, z relative to the pelvis, in metres.
      pose_m: pose,
    }),
  );
} catch (error) {
  console.log(JSON.stringify(explain(error)));
  process.exitCode = 1;
}
client.close();
