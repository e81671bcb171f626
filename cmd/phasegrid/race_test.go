//go:build race

package main

// raceDetector tells that time is many times what it is without it.
const raceDetector = true
