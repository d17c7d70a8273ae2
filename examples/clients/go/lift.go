// Lifts the person of a JSON file and prints the most probable pose:
//
//	./build.sh && ./build/lift 127.0.0.1:8001 ../person.json
//
// The file is a pose_mdn.v1.LiftRequest in JSON. An error is printed as JSON, too, and the exit code is 1.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	posemdn "posemdn/v1"
)

const joints = 17

// Calls that found no server, or one that is starting, stopping or too busy, are sent again. gRPC before 1.40 does so
// only if the environment has GRPC_GO_RETRY=on.
const retries = `{"methodConfig": [{
  "name": [{"service": "pose_mdn.v1.PoseLiftingService", "method": "Lift"}],
  "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 2,
                  "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"]}}]}`

type pose struct {
	Model       string  `json:"model"`
	Status      string  `json:"status"`
	Probability float32 `json:"probability"`
	// Pelvis: x right, y down, z forward, in metres.
	RootTranslationM []float32 `json:"root_translation_m"`
	// Joint by joint x, y, z relative to the pelvis, in metres.
	PoseM []float32 `json:"pose_m"`
}

type failure struct {
	Code      string            `json:"code"`
	Message   string            `json:"message"`
	Reason    string            `json:"reason"`
	RequestID string            `json:"request_id"`
	Fields    map[string]string `json:"fields"`
}

// explain says in words what is in a gRPC error.
func explain(err error) failure {
	refused := status.Convert(err)
	found := failure{Code: refused.Code().String(), Message: refused.Message(), Fields: map[string]string{}}
	for _, detail := range refused.Details() {
		switch detail := detail.(type) {
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				found.Fields[violation.GetField()] = violation.GetDescription()
			}
		case *errdetails.ErrorInfo:
			found.Reason = detail.GetReason()
		case *errdetails.RequestInfo:
			found.RequestID = detail.GetRequestId()
		}
	}
	return found
}

func mostProbable(answer *posemdn.LiftResponse) pose {
	best, count := 0, int(answer.GetNumHypotheses())
	for hypothesis, weight := range answer.GetMixingCoefficients()[:count] {
		if weight > answer.GetMixingCoefficients()[best] {
			best = hypothesis
		}
	}
	return pose{
		Model:            answer.GetModel(),
		Status:           answer.GetStatus()[0].String(),
		Probability:      answer.GetMixingCoefficients()[best],
		RootTranslationM: answer.GetRootTranslationM()[best*3 : best*3+3],
		PoseM:            answer.GetMeansM()[best*joints*3 : (best+1)*joints*3],
	}
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: lift HOST:PORT REQUEST.json")
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	request := &posemdn.LiftRequest{}
	if err := protojson.Unmarshal(text, request); err != nil {
		log.Fatal(err)
	}
	connection, err := grpc.Dial(os.Args[1], grpc.WithInsecure(), grpc.WithDefaultServiceConfig(retries),
		// Answers of a thousand poses are longer than the 4 MB that gRPC allows by itself.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := posemdn.NewPoseLiftingServiceClient(connection).Lift(ctx, request)
	print := json.NewEncoder(os.Stdout)
	if err != nil {
		print.Encode(explain(err))
		os.Exit(1)
	}
	print.Encode(mostProbable(answer))
}
