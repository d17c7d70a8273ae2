# Lifts the person of a JSON file and prints the most probable pose:
#
#   ./generate.sh
#   ruby -I generated lift.rb 127.0.0.1:8001 ../person.json
#
# The file is a pose_mdn.v1.LiftRequest in JSON. An error is printed as JSON, too, and the exit code is 1.

require "json"

require "google/protobuf/well_known_types"
require "google/rpc/error_details_pb"
require "grpc"
require "pose_mdn/v1/pose_lifting_services_pb"

JOINTS = 17

# Calls that found no server, or one that is starting, stopping or too busy, are sent again.
RETRIES = {
  methodConfig: [{
    name: [{ service: "pose_mdn.v1.PoseLiftingService", method: "Lift" }],
    retryPolicy: {
      maxAttempts: 4, initialBackoff: "0.1s", maxBackoff: "2s", backoffMultiplier: 2,
      retryableStatusCodes: %w[UNAVAILABLE RESOURCE_EXHAUSTED]
    }
  }]
}.freeze

CHANNEL_ARGS = {
  "grpc.service_config" => JSON.generate(RETRIES),
  # Answers of a thousand poses are longer than the 4 MB that gRPC allows by itself.
  "grpc.max_receive_message_length" => -1
}.freeze

# What is in a gRPC error, in words.
def explain(error)
  code = GRPC::Core::StatusCodes.constants.find { |name| GRPC::Core::StatusCodes.const_get(name) == error.code }
  found = { code: code, message: error.details, fields: {} }
  (error.to_rpc_status&.details || []).each do |detail|
    if detail.is(Google::Rpc::BadRequest)
      detail.unpack(Google::Rpc::BadRequest).field_violations.each { |it| found[:fields][it.field] = it.description }
    elsif detail.is(Google::Rpc::ErrorInfo)
      found[:reason] = detail.unpack(Google::Rpc::ErrorInfo).reason
    elsif detail.is(Google::Rpc::RequestInfo)
      found[:request_id] = detail.unpack(Google::Rpc::RequestInfo).request_id
    end
  end
  found
end

address, file = ARGV
stub = PoseMdn::V1::PoseLiftingService::Stub.new(
  address || "127.0.0.1:8001", :this_channel_is_insecure, channel_args: CHANNEL_ARGS, timeout: 10
)
begin
  answer = stub.lift(PoseMdn::V1::LiftRequest.decode_json(File.read(file || "../person.json")))
rescue GRPC::BadStatus => e
  puts JSON.generate(explain(e))
  exit 1
end

weights = answer.mixing_coefficients.first(answer.num_hypotheses)
best = weights.index(weights.max)
puts JSON.generate(
  model: answer.model,
  status: answer.status.first,
  probability: weights[best],
  # Pelvis: x right, y down, z forward, in metres.
  root_translation_m: answer.root_translation_m.to_a[best * 3, 3],
  # Joint by joint x, y, z relative to the pelvis, in metres.
  pose_m: answer.means_m.to_a[best * JOINTS * 3, JOINTS * 3]
)
