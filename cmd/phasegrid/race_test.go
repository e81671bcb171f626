//go:build race

package main

// raceDetector is true if the race detector is on, which slows everything down many times.
const raceDetector = true
