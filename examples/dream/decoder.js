import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";

function bytesOf(id) {
  return Uint8Array.from(atob(document.getElementById(id).textContent), (character) => character.charCodeAt(0));
}

async function unzip(bytes) {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** A function from a latent to its joints, [x, y, z] in metres of the upright frame: y down, z behind the person. */
async function openDecoder() {
  env.wasm.wasmBinary = await unzip(bytesOf("wasm"));
  env.wasm.numThreads = 1;
  env.wasm.proxy = false;
  const session = await InferenceSession.create(bytesOf("decoder"), { executionProviders: ["wasm"] });
  return async (latent) => {
    const { pose_m } = await session.run({ latent: new Tensor("float32", latent, [1, latent.length]) });
    return Array.from({ length: pose_m.dims[1] }, (_, joint) => Array.from(pose_m.data.slice(3 * joint, 3 * joint + 3)));
  };
}
