//go:build race

package sweep_test

// raceDetector tells that memory and time are several times what they are without it.
const raceDetector = true
