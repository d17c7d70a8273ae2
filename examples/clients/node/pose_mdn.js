// A connection to a pose-mdn server, and its errors in words. Messages come straight from proto/; nothing is generated.

import path from "node:path";
import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import protobuf from "protobufjs";

const PROTO = process.env.POSE_MDN_PROTO ?? path.join(path.dirname(fileURLToPath(import.meta.url)), "../../../proto");

// Names as in the .proto files; numbers of 64 bits, such as frame numbers, as JavaScript's.
const SPELLING = { keepCase: true, longs: Number, enums: String, defaults: true, includeDirs: [PROTO] };

// Calls that found no server, or one that is starting, stopping or too busy, are sent again. Streams are not.
const RETRIES = {
  methodConfig: [
    {
      name: [{ service: "pose_mdn.v1.PoseLiftingService", method: "Lift" }],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.1s",
        maxBackoff: "2s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
      },
    },
  ],
};

const CHANNEL_OPTIONS = {
  "grpc.service_config": JSON.stringify(RETRIES),
  // Answers of a thousand poses are longer than the 4 MB that gRPC allows by itself.
  "grpc.max_receive_message_length": -1,
};

// The part of google.rpc that errors are sent in.
const GOOGLE_RPC = protobuf.parse(`
  syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message BadRequest {
    message FieldViolation { string field = 1; string description = 2; }
    repeated FieldViolation field_violations = 1;
  }
  message ErrorInfo { string reason = 1; string domain = 2; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message RequestInfo { string request_id = 1; }
`, { keepCase: true }).root.lookup("google.rpc");

/** A client of pose_mdn.v1.PoseLiftingService at "HOST:PORT". For TLS, give grpc.credentials.createSsl(). */
export function connect(address, credentials = grpc.credentials.createInsecure()) {
  const { pose_mdn } = grpc.loadPackageDefinition(protoLoader.loadSync("pose_mdn/v1/pose_lifting.proto", SPELLING));
  return new pose_mdn.v1.PoseLiftingService(address, credentials, CHANNEL_OPTIONS);
}

/** Answers `client.Lift(request)`; rejects with gRPC's error, of which `explain` makes words. */
export function lift(client, request, { timeoutS = 10, metadata = new grpc.Metadata() } = {}) {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + timeoutS * 1000;
    client.Lift(request, metadata, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

/** What is in a gRPC error: {code, message, reason, fields, requestId, retryAfterS}. */
export function explain(error) {
  const found = { code: grpc.status[error.code], message: error.details, fields: {} };
  const [packed] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!packed) return found; // no server of ours has answered
  for (const detail of GOOGLE_RPC.lookupType("Status").decode(packed).details) {
    const name = detail.type_url.split("/google.rpc.")[1];
    const type = GOOGLE_RPC.get(name);
    if (!type) continue;
    const content = type.toObject(type.decode(detail.value), { longs: Number, defaults: true });
    if (name === "BadRequest") {
      for (const { field, description } of content.field_violations ?? []) found.fields[field] = description;
    }
    if (name === "ErrorInfo") found.reason = content.reason;
    if (name === "RequestInfo") found.requestId = content.request_id;
    if (name === "RetryInfo") found.retryAfterS = content.retry_delay.seconds + content.retry_delay.nanos / 1e9;
  }
  return found;
}
