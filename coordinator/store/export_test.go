package store

// ErrChanged is the error of DeleteVersion for an object that was replaced.
var ErrChanged = errChanged
