module chat

go 1.23

require sluice.dev/client v0.0.0

require github.com/coder/websocket v1.8.15 // indirect

replace sluice.dev/client => ../../sdk/client-go
