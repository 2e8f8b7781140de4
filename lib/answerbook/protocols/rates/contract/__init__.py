"""What clients are made from: .proto files, the modules that protoc makes of them, and WSDLs."""
