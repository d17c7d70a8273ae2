// Calls with Connect's client and generated messages, in protobuf's bytes; the same client speaks gRPC-Web.

import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { BadRequestSchema } from "./messages/google/rpc/error_details_pb.js";
import { PoseLiftingService } from "./messages/pose_mdn/v1/pose_lifting_pb.js";

/** A client for a server's HTTP port; `protocol` is "connect" or "grpc-web". */
export function poseLiftingClient(server, protocol) {
  const create = protocol === "connect" ? createConnectTransport : createGrpcWebTransport;
  return createClient(PoseLiftingService, create({ baseUrl: server, useBinaryFormat: true, defaultTimeoutMs: 5000 }));
}

/** The fields at fault in a request that was refused. */
export function violationsOf(error) {
  const found = ConnectError.from(error).findDetails(BadRequestSchema);
  return found.flatMap((detail) => detail.fieldViolations.map(({ field, description }) => ({ field, description })));
}
