// Calls without any library: the Connect protocol is a POST of JSON.

const SERVICE = "pose_mdn.v1.PoseLiftingService";
const END_OF_STREAM = 2;

/** What the server refused, with the fields at fault. */
export class Refusal extends Error {
  constructor({ code, message, details = [] }) {
    super(`${code}: ${message}`);
    this.violations = details.flatMap((detail) => detail.debug?.fieldViolations ?? []);
  }
}

/** A LiftResponse in JSON for a LiftRequest in JSON. */
export async function lift(server, request, signal) {
  const response = await fetch(`${server}/${SERVICE}/Lift`, {
    method: "POST",
    headers: { "content-type": "application/json", "connect-timeout-ms": "5000" },
    body: JSON.stringify(request),
    signal,
  });
  const content = await response.json();
  if (!response.ok) throw new Refusal(content);
  return content;
}

/** The answers to the messages of a stream, as they come. All messages are sent first: browsers cannot do otherwise. */
export async function* liftStream(server, messages, signal) {
  const response = await fetch(`${server}/${SERVICE}/LiftStream`, {
    method: "POST",
    headers: { "content-type": "application/connect+json" },
    body: new Blob(messages.map((message) => enclose(JSON.stringify(message)))),
    signal,
  });
  if (!response.ok) throw new Refusal(await response.json());
  for await (const [flags, text] of openEnvelopes(response.body)) {
    const content = JSON.parse(text);
    if (!(flags & END_OF_STREAM)) yield content;
    else if (content.error) throw new Refusal(content.error);
  }
}

function enclose(text) {
  const bytes = new TextEncoder().encode(text);
  const prefix = new DataView(new ArrayBuffer(5));
  prefix.setUint32(1, bytes.length);
  return new Blob([prefix, bytes]);
}

async function* openEnvelopes(body) {
  const reader = body.getReader();
  let held = new Uint8Array();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    held = joined;
    while (held.length >= 5) {
      const length = new DataView(held.buffer, held.byteOffset).getUint32(1);
      if (held.length < 5 + length) break;
      yield [held[0], new TextDecoder().decode(held.subarray(5, 5 + length))];
      held = held.subarray(5 + length);
    }
  }
}
