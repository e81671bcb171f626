// Package client is the edge between phasegrid's commands and a coordinator: addresses, TLS,
// calls, and sweeps as commands show them.
//
// Invariants:
//   - Generated types do not leave this package: a Sweep is a plain value.
//   - A command resolves the name of a sweep once and then uses its id. A call that is repeated
//     under another leader therefore never reaches a later sweep of the same name.
//   - Without a leader, unary calls are repeated for as long as an election may take. A call that
//     fails then has the reason why no coordinator leads, if one of them answers.
//   - Plain text is for loopback; anything else needs a certificate or an explicit choice.
//   - A file that is fetched gets its name when its checksum is right, and the manifest is fetched
//     last: a folder with a manifest is complete.
package client
