"""Writes the messages and methods that tritonclient was generated from, as serialised file descriptors in hex."""

import sys

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from tritonclient.grpc import model_config_pb2, service_pb2

for module in (model_config_pb2, service_pb2):
    file = FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(file)
    sys.stdout.write(f"{file.SerializeToString().hex()}\n")
