package sweep

import "embed"

// Examples are the sweep files that come with the program, examples/<name>.yaml. Each opens with
// the question it answers.
//
//go:embed examples/*.yaml
var Examples embed.FS
